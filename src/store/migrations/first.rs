//! The first five steps: what a chat and its runs need.

use rusqlite_migration::M;

pub(super) const FIRST: M<'_> = M::up(
    "
    -- What Telegram sent, as it sent it. `seq` is the order of arrival: update ids restart at random after
    -- a week without updates.
    CREATE TABLE updates (
        seq         INTEGER PRIMARY KEY AUTOINCREMENT,
        update_id   INTEGER NOT NULL UNIQUE,
        raw         TEXT NOT NULL,
        state       TEXT NOT NULL CHECK (state IN ('stored', 'done', 'set_aside')),
        attempts    INTEGER NOT NULL DEFAULT 0,
        failure     TEXT,
        received_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX updates_stored ON updates (seq) WHERE state = 'stored';

    -- One row: where the next getUpdates goes on.
    CREATE TABLE next_update (
        only      INTEGER PRIMARY KEY CHECK (only = 1),
        update_id INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE sessions (
        id             TEXT PRIMARY KEY,
        chat_id        INTEGER NOT NULL,
        thread_id      INTEGER NOT NULL,          -- 0: not in a topic
        source         TEXT NOT NULL,             -- JSON
        wanted_branch  TEXT,
        workspace      TEXT NOT NULL,
        branch         TEXT,
        state          TEXT NOT NULL CHECK (state IN ('new', 'ready', 'failed')),
        claude_session TEXT,
        model          TEXT,
        created_at     INTEGER NOT NULL
    ) STRICT;

    -- Which session a chat, or a topic of it, talks to.
    CREATE TABLE chats (
        chat_id    INTEGER NOT NULL,
        thread_id  INTEGER NOT NULL,
        session_id TEXT NOT NULL REFERENCES sessions (id),
        PRIMARY KEY (chat_id, thread_id)
    ) STRICT;

    CREATE TABLE runs (
        seq            INTEGER PRIMARY KEY AUTOINCREMENT,
        id             TEXT NOT NULL UNIQUE,
        session_id     TEXT NOT NULL REFERENCES sessions (id),
        chat_id        INTEGER NOT NULL,
        thread_id      INTEGER NOT NULL,
        state          TEXT NOT NULL CHECK (state IN ('queued', 'running', 'ended')),
        outcome        TEXT,
        reason         TEXT,
        cost_usd       REAL,
        queued_at      INTEGER NOT NULL,
        started_at     INTEGER,
        ended_at       INTEGER,
        acted_offset   INTEGER NOT NULL DEFAULT 0,
        live_message   INTEGER,
        stop_requested INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX runs_open ON runs (chat_id, thread_id, seq) WHERE state <> 'ended';
    CREATE INDEX runs_of_session ON runs (session_id, seq);

    CREATE TABLE prompts (
        id         TEXT PRIMARY KEY,              -- the uuid that claude sees
        run_id     TEXT NOT NULL REFERENCES runs (id),
        text       TEXT NOT NULL,
        message_id INTEGER,
        user_id    INTEGER,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX prompts_of_run ON prompts (run_id);

    -- Messages that must arrive.
    CREATE TABLE outbox (
        id         INTEGER PRIMARY KEY AUTOINCREMENT,
        chat_id    INTEGER NOT NULL,
        thread_id  INTEGER NOT NULL,
        message    TEXT NOT NULL,                 -- JSON
        state      TEXT NOT NULL CHECK (state IN ('due', 'sending', 'sent', 'parked')),
        parts_sent INTEGER NOT NULL DEFAULT 0,
        attempts   INTEGER NOT NULL DEFAULT 0,
        failure    TEXT,                          -- why it cannot be had (JSON), until somebody is told
        created_at INTEGER NOT NULL,
        sent_at    INTEGER
    ) STRICT;
    CREATE INDEX outbox_due ON outbox (chat_id, id) WHERE state IN ('due', 'sending');
    ",
);

/// Doubtful and parked sends, pauses, moved chats, late prompts, lost runs.
pub(super) const NOTHING_IS_LOST: M<'_> = M::up(
    "
    -- Lower goes first; in the order of writing within one.
    ALTER TABLE outbox ADD COLUMN priority INTEGER NOT NULL DEFAULT 1;
    -- How often its next part was sent without anybody knowing whether it arrived.
    ALTER TABLE outbox ADD COLUMN doubts INTEGER NOT NULL DEFAULT 0;
    -- How often a part was sent once more because of that.
    ALTER TABLE outbox ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE outbox ADD COLUMN parked_for TEXT;
    -- The row that this one tells of: it could not be delivered.
    ALTER TABLE outbox ADD COLUMN tells_of INTEGER;
    CREATE INDEX outbox_parked ON outbox (chat_id) WHERE state = 'parked';
    CREATE INDEX outbox_sent ON outbox (sent_at) WHERE state = 'sent';

    -- Telegram's ids of what has arrived.
    CREATE TABLE sent_parts (
        outbox_id  INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
        part       INTEGER NOT NULL,
        message_id INTEGER NOT NULL,
        PRIMARY KEY (outbox_id, part)
    ) STRICT;

    -- Chats that Telegram asked to leave alone for a while (429); calling during the pause makes it longer.
    CREATE TABLE chat_pauses (
        chat_id INTEGER PRIMARY KEY,
        until   INTEGER NOT NULL
    ) STRICT;

    -- Groups that became supergroups: another id, the same people.
    CREATE TABLE migrated_chats (
        old_id      INTEGER PRIMARY KEY,
        new_id      INTEGER NOT NULL,
        migrated_at INTEGER NOT NULL
    ) STRICT;

    -- One row: when the bot was last at work.
    CREATE TABLE last_alive (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        at   INTEGER NOT NULL
    ) STRICT;

    -- When the person wrote it, by Telegram's clock.
    ALTER TABLE prompts ADD COLUMN sent_at INTEGER;
    -- 1: the prompt is so old that somebody is asked first. 2: somebody said that it shall run.
    ALTER TABLE runs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
    -- The run that takes a lost one up again.
    ALTER TABLE runs ADD COLUMN resumed_by TEXT;
    ",
);

/// How much a chat is told, and when it rings.
pub(super) const WHAT_A_CHAT_WANTS: M<'_> = M::up(
    "
    CREATE TABLE chat_settings (
        chat_id      INTEGER PRIMARY KEY,
        verbosity    INTEGER NOT NULL DEFAULT 1,
        quiet_from   INTEGER,                     -- minutes of the day
        quiet_to     INTEGER,
        ring_after_s INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    ",
);

/// Jobs, and the measurements they make.
pub(super) const EVIDENCE: M<'_> = M::up(
    "
    CREATE TABLE jobs (
        seq            INTEGER PRIMARY KEY AUTOINCREMENT,
        id             TEXT NOT NULL UNIQUE,
        session_id     TEXT NOT NULL REFERENCES sessions (id),
        chat_id        INTEGER NOT NULL,
        thread_id      INTEGER NOT NULL,
        lane           TEXT NOT NULL CHECK (lane IN ('workspace', 'beside')),
        task           TEXT NOT NULL,             -- JSON
        state          TEXT NOT NULL CHECK (state IN ('due', 'ended')),
        stop_requested INTEGER NOT NULL DEFAULT 0,
        asked_by       INTEGER,                   -- the message that asked for it
        live_message   INTEGER,
        created_at     INTEGER NOT NULL,
        begun_at       INTEGER,
        ended_at       INTEGER
    ) STRICT;
    CREATE INDEX jobs_due ON jobs (chat_id, thread_id, lane, seq) WHERE state = 'due';

    -- What was measured, for good.
    CREATE TABLE verifications (
        job_id     TEXT PRIMARY KEY REFERENCES jobs (id),
        session_id TEXT NOT NULL REFERENCES sessions (id),
        run_id     TEXT REFERENCES runs (id),     -- the run that it is about
        by_hand    INTEGER NOT NULL,              -- 1: somebody asked for it
        evidence   TEXT NOT NULL,                 -- JSON
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX verifications_of_session ON verifications (session_id, created_at);

    -- Repositories that were worked on, by a short name.
    CREATE TABLE repositories (
        name    TEXT PRIMARY KEY,
        source  TEXT NOT NULL UNIQUE,             -- JSON
        used_at INTEGER NOT NULL
    ) STRICT;

    -- The commands of the session itself; NULL: what holds for all; empty: none.
    ALTER TABLE sessions ADD COLUMN test_cmd TEXT;
    ALTER TABLE sessions ADD COLUMN lint_cmd TEXT;
    ALTER TABLE sessions ADD COLUMN autofix INTEGER NOT NULL DEFAULT 0;
    -- 1: the chat was told how checks are set up.
    ALTER TABLE sessions ADD COLUMN hinted INTEGER NOT NULL DEFAULT 0;
    -- The commands that the chat was offered last (JSON).
    ALTER TABLE sessions ADD COLUMN offered TEXT;
    ALTER TABLE sessions ADD COLUMN live_message INTEGER;

    -- The outbox row of the run's newest answer, and what that says of itself (JSON).
    ALTER TABLE runs ADD COLUMN answer_row INTEGER;
    ALTER TABLE runs ADD COLUMN claims TEXT;
    -- The job whose failing checks the run is to fix.
    ALTER TABLE runs ADD COLUMN fixes TEXT;
    -- 1, 2, ...: the run is that round of fixing by itself.
    ALTER TABLE runs ADD COLUMN fix_round INTEGER NOT NULL DEFAULT 0;
    -- Why there is no snapshot of what was before it.
    ALTER TABLE runs ADD COLUMN no_snapshot TEXT;
    -- The branch of a workspace without a file and without a commit, as it was before the run: its snapshot is made
    -- when there is something to compare it with.
    ALTER TABLE runs ADD COLUMN empty_on TEXT;
    ALTER TABLE runs ADD COLUMN undone INTEGER NOT NULL DEFAULT 0;
    -- 1: it was measured, and had changed nothing.
    ALTER TABLE runs ADD COLUMN unchanged INTEGER NOT NULL DEFAULT 0;

    -- The outbox row that this one replies to.
    ALTER TABLE outbox ADD COLUMN replies_to INTEGER;
    ",
);

/// Invited people, and sessions that somebody has at a terminal.
pub(super) const PEOPLE_AND_TERMINALS: M<'_> = M::up(
    "
    -- Who may use the bot beside those whom the settings name.
    CREATE TABLE people (
        user_id    INTEGER PRIMARY KEY,
        name       TEXT NOT NULL,                 -- as Telegram showed it when they came
        invited_by INTEGER NOT NULL,
        joined_at  INTEGER NOT NULL
    ) STRICT;

    -- Links that let somebody in, once.
    CREATE TABLE invites (
        code       TEXT PRIMARY KEY,
        invited_by INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;

    -- Since when somebody has the session at a terminal; its prompts wait meanwhile.
    ALTER TABLE sessions ADD COLUMN attached_at INTEGER;
    -- 1: somebody has had the session at a terminal since it was asked whether the run is to be undone.
    ALTER TABLE runs ADD COLUMN undo_void INTEGER NOT NULL DEFAULT 0;
    ",
);
