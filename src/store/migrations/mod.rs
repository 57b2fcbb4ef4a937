//! The schema, as the list of steps that made it. Append-only: a released step never changes.

mod first;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use first::{EVIDENCE, FIRST, NOTHING_IS_LOST, PEOPLE_AND_TERMINALS, WHAT_A_CHAT_WANTS};

const STEPS: &[M<'_>] = &[
    FIRST,
    NOTHING_IS_LOST,
    WHAT_A_CHAT_WANTS,
    EVIDENCE,
    PEOPLE_AND_TERMINALS,
    EVERY_KIND_OF_MESSAGE,
    OVERLOAD,
    WHAT_CLAUDE_REPORTS,
    NO_START,
    PROCESSES,
    DEEDS,
    SETUP,
    MENUS,
    RIGHTS,
    REPLACED_FILES,
    NOTHING_READ_WHOLE,
    PAGE,
    FILES_OF_RUNS,
    ROUTINES,
    CALLS,
];

/// Attachments, prompts on their way, claude's questions, and holds.
const EVERY_KIND_OF_MESSAGE: M<'_> = M::up(
    "
    -- What goes along with the words, as `prompt::Content` (JSON); NULL: the text alone.
    ALTER TABLE prompts ADD COLUMN pieces TEXT;
    -- The run whose claude has it on its input and has not taken it up.
    ALTER TABLE prompts ADD COLUMN handed_to TEXT;
    ALTER TABLE prompts ADD COLUMN taken_up_at INTEGER;
    -- 1: claude took it up in the middle of a turn.
    ALTER TABLE prompts ADD COLUMN steered INTEGER NOT NULL DEFAULT 0;
    -- The outbox row of the answer.
    ALTER TABLE prompts ADD COLUMN answer_row INTEGER;
    -- What it shall be instead, while claude has it on its input (JSON, as `pieces`).
    ALTER TABLE prompts ADD COLUMN edited TEXT;

    -- Which messages became part of which prompt.
    CREATE TABLE prompt_messages (
        chat_id    INTEGER NOT NULL,
        message_id INTEGER NOT NULL,
        prompt_id  TEXT NOT NULL REFERENCES prompts (id) ON DELETE CASCADE ON UPDATE CASCADE,
        PRIMARY KEY (chat_id, message_id)
    ) STRICT;
    CREATE INDEX prompt_messages_of_prompt ON prompt_messages (prompt_id);

    -- More messages may become part of the prompt until then, in Unix milliseconds.
    ALTER TABLE runs ADD COLUMN gathers_until INTEGER;
    -- What is known of its last part (JSON); NULL: it was never more than one message.
    ALTER TABLE runs ADD COLUMN gathering TEXT;

    -- Pictures of albums in groups whose caption, with the mention of the bot, has not come yet.
    CREATE TABLE album_parts (
        chat_id    INTEGER NOT NULL,
        thread_id  INTEGER NOT NULL,
        album      TEXT NOT NULL,
        message_id INTEGER NOT NULL,
        user_id    INTEGER NOT NULL,
        parts      TEXT NOT NULL,                 -- JSON
        kept_at    INTEGER NOT NULL,
        PRIMARY KEY (chat_id, album, message_id)
    ) STRICT;

    -- Files that came with messages.
    CREATE TABLE attachments (
        id         INTEGER PRIMARY KEY AUTOINCREMENT,
        prompt_id  TEXT NOT NULL REFERENCES prompts (id) ON DELETE CASCADE ON UPDATE CASCADE,
        message_id INTEGER,                       -- the message that it came with
        file       TEXT NOT NULL,                 -- what Telegram says of it (JSON)
        state      TEXT NOT NULL CHECK (state IN ('awaited', 'there', 'failed')),
        path       TEXT,                          -- where it is, or shall be when it is whole
        failure    TEXT,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX attachments_of_prompt ON attachments (prompt_id);

    -- What claude asks. `id` is what a button says: nobody can guess it.
    CREATE TABLE questions (
        id          TEXT PRIMARY KEY,
        run_id      TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        request_id  TEXT NOT NULL,                -- claude's
        number      INTEGER NOT NULL,             -- of several questions of one request, from 0 on
        question    TEXT NOT NULL,                -- JSON
        asked_user  INTEGER,                      -- whose prompt it is about
        outbox_id   INTEGER,                      -- the message that asks
        state       TEXT NOT NULL CHECK (state IN ('open', 'answered', 'over')),
        answer      TEXT,                         -- JSON
        answered_by INTEGER,
        asked_at    INTEGER NOT NULL,
        reminded_at INTEGER,
        UNIQUE (run_id, request_id, number)
    ) STRICT;
    CREATE INDEX questions_open ON questions (run_id) WHERE state = 'open';

    -- Messages about a question: a reply to one is an answer.
    CREATE TABLE question_messages (
        outbox_id   INTEGER PRIMARY KEY REFERENCES outbox (id) ON DELETE CASCADE,
        question_id TEXT NOT NULL REFERENCES questions (id) ON DELETE CASCADE,
        for_words   INTEGER NOT NULL              -- 1: it does nothing but ask for words
    ) STRICT;
    CREATE INDEX question_messages_of_question ON question_messages (question_id);

    -- What claude may do in a session without asking again (JSON).
    CREATE TABLE session_grants (
        session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
        what       TEXT NOT NULL,
        PRIMARY KEY (session_id, what)
    ) STRICT;

    -- The outbox row whose message this one takes the place of.
    ALTER TABLE outbox ADD COLUMN edits INTEGER;
    CREATE INDEX sent_parts_of_message ON sent_parts (message_id);

    -- What claude is started with in this chat; NULL: what the settings say.
    ALTER TABLE chat_settings ADD COLUMN permission_mode TEXT;
    ALTER TABLE chat_settings ADD COLUMN model TEXT;
    ALTER TABLE chat_settings ADD COLUMN effort TEXT;
    -- 1: what is written while a run goes on waits for its end.
    ALTER TABLE chat_settings ADD COLUMN holds_back INTEGER NOT NULL DEFAULT 0;

    -- Why nothing begins in a chat for a while.
    CREATE TABLE holds (
        chat_id   INTEGER NOT NULL,
        thread_id INTEGER NOT NULL,
        why       TEXT NOT NULL CHECK (why IN ('limit', 'login')),
        until     INTEGER,                        -- Unix milliseconds; NULL: until somebody has done something
        since     INTEGER NOT NULL,
        told      INTEGER NOT NULL DEFAULT 0,     -- 1: somebody wrote meanwhile and was told that it waits
        PRIMARY KEY (chat_id, thread_id)
    ) STRICT;
    -- 1, 2, ...: it takes up what was held up by a limit or a missing login, for the first time, the second, ...; it
    -- goes before what was written later.
    ALTER TABLE runs ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;

    -- One row: the login that the owner is offered.
    CREATE TABLE login (
        only    INTEGER PRIMARY KEY CHECK (only = 1),
        state   TEXT NOT NULL CHECK (state IN ('offered', 'wanted', 'asking')),
        asks_in INTEGER                           -- the outbox row that asks for the code
    ) STRICT;
    ",
);

/// Holds by an overloaded API. SQLite cannot change a CHECK, so the table is made anew.
const OVERLOAD: M<'_> = M::up(
    "
    CREATE TABLE holds_with_overload (
        chat_id   INTEGER NOT NULL,
        thread_id INTEGER NOT NULL,
        why       TEXT NOT NULL CHECK (why IN ('limit', 'login', 'overload')),
        until     INTEGER,                        -- Unix milliseconds; NULL: until a person acts
        since     INTEGER NOT NULL,
        told      INTEGER NOT NULL DEFAULT 0,     -- 1: a person wrote meanwhile and was told that it waits
        PRIMARY KEY (chat_id, thread_id)
    ) STRICT;
    INSERT INTO holds_with_overload SELECT chat_id, thread_id, why, until, since, told FROM holds;
    DROP TABLE holds;
    ALTER TABLE holds_with_overload RENAME TO holds;
    ",
);

const WHAT_CLAUDE_REPORTS: M<'_> = M::up(
    "
    -- What claude said at the beginning of its newest turn, in its own spelling.
    ALTER TABLE sessions ADD COLUMN reported_model TEXT;
    ALTER TABLE sessions ADD COLUMN reported_mode  TEXT;
    ",
);

const NO_START: M<'_> = M::up(
    "
    CREATE TABLE holds_of_every_kind (
        chat_id   INTEGER NOT NULL,
        thread_id INTEGER NOT NULL,
        why       TEXT NOT NULL,                  -- limit, login, overload, start
        until     INTEGER,                        -- Unix milliseconds; NULL: until a person acts
        since     INTEGER NOT NULL,
        told      INTEGER NOT NULL DEFAULT 0,     -- 1: a person wrote meanwhile and was told that it waits
        PRIMARY KEY (chat_id, thread_id)
    ) STRICT;
    INSERT INTO holds_of_every_kind SELECT chat_id, thread_id, why, until, since, told FROM holds;
    DROP TABLE holds;
    ALTER TABLE holds_of_every_kind RENAME TO holds;
    ",
);

const PROCESSES: M<'_> = M::up(
    "
    -- A run may take place in the process that an earlier run began: `process_id` is that run, NULL its own.
    ALTER TABLE runs ADD COLUMN process_id  TEXT;
    ALTER TABLE runs ADD COLUMN events_from INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN events_to   INTEGER;            -- NULL: to the end
    ALTER TABLE runs ADD COLUMN cost_before REAL NOT NULL DEFAULT 0;

    -- The claudes that live on after their run.
    CREATE TABLE processes (
        id             TEXT PRIMARY KEY,          -- the run that began it
        session_id     TEXT NOT NULL REFERENCES sessions (id),
        chat_id        INTEGER NOT NULL,
        thread_id      INTEGER NOT NULL,
        until          INTEGER,                   -- Unix milliseconds; NULL: as long as something is in the background
        background     TEXT NOT NULL,             -- JSON: what goes on in the background
        conversation   TEXT,                      -- the one that it has
        read_to        INTEGER NOT NULL,          -- its events up to here belong to earlier runs
        cost_usd       REAL NOT NULL,
        stop_requested INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    ",
);

const DEEDS: M<'_> = M::up(
    "
    -- What claude itself did in the run (JSON). What its answer said of itself is not read any more.
    ALTER TABLE runs RENAME COLUMN claims TO deeds;
    UPDATE runs SET deeds = NULL;
    ",
);

const SETUP: M<'_> = M::up(
    "
    -- The session's own command that sets its workspace up; NULL: the general one.
    ALTER TABLE sessions ADD COLUMN setup_cmd TEXT;
    ",
);

const MENUS: M<'_> = M::up(
    "
    -- The command menus that Telegram has.
    CREATE TABLE menus (
        bot      INTEGER NOT NULL,
        scope    TEXT NOT NULL,                   -- JSON: BotCommandScope
        commands TEXT NOT NULL,                   -- JSON
        PRIMARY KEY (bot, scope)
    ) STRICT;

    -- The private chats that were told what topics are.
    CREATE TABLE told_of_topics (
        chat_id INTEGER PRIMARY KEY
    ) STRICT;
    ",
);

const RIGHTS: M<'_> = M::up(
    "
    -- Chats in which nobody may write any more: nothing is sent there.
    CREATE TABLE closed_chats (
        chat_id INTEGER PRIMARY KEY
    ) STRICT;
    -- 1: the settings named this invited person too, at the last start.
    ALTER TABLE people ADD COLUMN is_named INTEGER NOT NULL DEFAULT 0;
    ",
);

const REPLACED_FILES: M<'_> = M::up(
    "
    -- 1: its message was edited and has another file now.
    ALTER TABLE attachments ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0;
    ",
);

/// Indexes for what is asked often, so that no such question reads a table that grows with the years.
///
/// SQLite uses an index `WHERE a OR b` for a question about `a` alone, and for one about `(a OR b)`.
const NOTHING_READ_WHOLE: M<'_> = M::up(
    "
    DROP INDEX runs_open;
    -- In the order of waiting.
    CREATE INDEX runs_open ON runs (chat_id, thread_id, (tries = 0), seq, state, held)
        WHERE state = 'queued' OR state = 'running';
    CREATE INDEX runs_begun ON runs (chat_id, thread_id, seq) WHERE started_at IS NOT NULL;
    CREATE INDEX runs_live ON runs (live_message) WHERE live_message IS NOT NULL;
    CREATE INDEX runs_of_answer ON runs (answer_row) WHERE answer_row IS NOT NULL;
    CREATE INDEX runs_of_process ON runs (process_id) WHERE process_id IS NOT NULL;
    CREATE INDEX prompts_handed ON prompts (handed_to, edited) WHERE handed_to IS NOT NULL;
    CREATE INDEX attachments_of_path ON attachments (path) WHERE path IS NOT NULL;

    DROP INDEX outbox_due;
    -- In the order of sending.
    CREATE INDEX outbox_due
        ON outbox (chat_id, (parts_sent > 0 OR state = 'sending') DESC, priority, id)
        WHERE state = 'due' OR state = 'sending';
    CREATE INDEX outbox_tells ON outbox (tells_of) WHERE tells_of IS NOT NULL;

    CREATE INDEX updates_set_aside ON updates (received_at) WHERE state = 'set_aside';

    CREATE INDEX jobs_of_session ON jobs (session_id, seq);
    CREATE INDEX jobs_live ON jobs (live_message) WHERE live_message IS NOT NULL;
    CREATE INDEX verifications_of_run ON verifications (run_id);

    CREATE INDEX sessions_of_place ON sessions (chat_id, thread_id, created_at);
    CREATE INDEX sessions_new ON sessions (chat_id, thread_id, created_at) WHERE state = 'new';
    CREATE INDEX sessions_attached ON sessions (id) WHERE attached_at IS NOT NULL;
    ",
);

/// Who may look at the page.
const PAGE: M<'_> = M::up(
    "
    -- Links that log a browser in, browsers that are logged in, and programs. Of a key only its SHA-256 is kept.
    CREATE TABLE page_keys (
        hash       TEXT PRIMARY KEY,
        kind       TEXT NOT NULL CHECK (kind IN ('link', 'login', 'program', 'used')),
        user_id    INTEGER NOT NULL,
        name       TEXT NOT NULL,                 -- of the person, or of the program
        made_at    INTEGER NOT NULL,
        expires_at INTEGER                        -- NULL: it holds until it is withdrawn
    ) STRICT;
    CREATE INDEX page_keys_of_user ON page_keys (user_id, kind);
    CREATE INDEX page_keys_expire ON page_keys (expires_at) WHERE expires_at IS NOT NULL;
    ",
);

/// Which files a run gave.
const FILES_OF_RUNS: M<'_> = M::up(
    "
    -- The job that sends them; its folder has them.
    ALTER TABLE runs ADD COLUMN files_job TEXT;
    ",
);

/// Work that begins without a message.
const ROUTINES: M<'_> = M::up(
    "
    CREATE TABLE routines (
        id         TEXT PRIMARY KEY,
        name       TEXT UNIQUE,                   -- of one that is called: its address ends with it
        chat_id    INTEGER NOT NULL,
        thread_id  INTEGER NOT NULL,
        user_id    INTEGER,                       -- who made it; NULL: somebody in a shell of the machine
        moment     TEXT NOT NULL,                 -- when it begins (JSON)
        zone       TEXT NOT NULL,
        prompt     TEXT NOT NULL,                 -- JSON, as `pieces` of prompts
        fresh      INTEGER NOT NULL,              -- 1: each time in a new session
        missed     TEXT NOT NULL CHECK (missed IN ('once', 'skip', 'all')),
        state      TEXT NOT NULL CHECK (state IN ('offered', 'kept', 'paused', 'over')),
        paused_for TEXT,
        kept_at    INTEGER,                       -- since when it begins by itself
        planned_at INTEGER,                       -- its next moment, in Unix milliseconds
        due_at     INTEGER,                       -- when that begins: seconds later, where others have the same minute
        secret     TEXT,                          -- of its calls
        filter     TEXT,
        made_at    INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX routines_due ON routines (due_at) WHERE state = 'kept' AND due_at IS NOT NULL;
    CREATE INDEX routines_minute ON routines (planned_at) WHERE state = 'kept';
    CREATE INDEX routines_of_place ON routines (chat_id, thread_id, made_at);

    -- What became of each moment. Nothing begins twice: a moment has one row.
    CREATE TABLE occurrences (
        routine_id TEXT NOT NULL REFERENCES routines (id) ON DELETE CASCADE,
        planned_at INTEGER NOT NULL,
        run_id     TEXT REFERENCES runs (id) ON DELETE SET NULL,
        missed     INTEGER NOT NULL DEFAULT 0,    -- so many moments before it passed without a run
        PRIMARY KEY (routine_id, planned_at)
    ) STRICT;
    CREATE INDEX occurrences_of_run ON occurrences (run_id) WHERE run_id IS NOT NULL;
    ",
);

/// Calls from other programs.
const CALLS: M<'_> = M::up(
    "
    CREATE TABLE calls (
        seq         INTEGER PRIMARY KEY AUTOINCREMENT,
        routine_id  TEXT NOT NULL REFERENCES routines (id) ON DELETE CASCADE,
        delivery    TEXT NOT NULL,                -- the same when its sender tries again
        event       TEXT,
        body        BLOB,                         -- NULL once it is a file
        received_at INTEGER NOT NULL,
        state       TEXT NOT NULL CHECK (state IN ('due', 'taken')),
        UNIQUE (routine_id, delivery)
    ) STRICT;
    CREATE INDEX calls_due ON calls (seq) WHERE state = 'due';
    CREATE INDEX calls_taken ON calls (received_at) WHERE state = 'taken';
    ",
);

/// The version of the schema that this telecoder works with.
pub fn known() -> usize {
    STEPS.len()
}

/// Brings the schema up to date. Refuses a file of a newer telecoder.
pub fn apply(connection: &mut Connection) -> rusqlite_migration::Result<()> {
    apply_to(connection, known())
}

/// Brings the schema to one of its versions: the first `steps` of the list.
pub fn apply_to(connection: &mut Connection, steps: usize) -> rusqlite_migration::Result<()> {
    Migrations::from_slice(STEPS).to_version(connection, steps)
}
