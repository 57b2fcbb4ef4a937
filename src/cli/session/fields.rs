//! The fields of `--json`, as the help shows them.

pub(super) const LIST: &str = "\
With --json an array of objects, the newest session first; times are RFC 3339 in UTC, money is US dollars:
  session     its name
  chat        the chat that it belongs to; 0 if it was made in the shell and no chat has it
  topic       in a forum; else null
  repository  a URL, a path, or -
  branch      null until its workspace is made
  workspace   its folder
  state       new, ready or failed
  setup_cmd   the session's own command; null: the general one; empty: none
  test_cmd    the same for the tests
  lint_cmd    the same for the linter
  autofix     whether failing checks go back to claude automatically
  runs        how many have ended
  cost_usd    of all its runs";

pub(super) const INSPECT: &str = "\
With --json an object with the fields of session list, and
  last_runs        an array of objects, the newest first:
    run            its id, the name of its folder in runs/
    state          waiting, running or ended
    prompts        an array: what was asked; empty if claude began by itself
    outcome, reason, started_at, ended_at, cost_usd
                   as in session run; null while it has not ended
  verifications    an array of objects, the newest first; times are RFC 3339 in UTC, money is US dollars:
    at             when it was measured
    run            the run that it is about; null if nothing had run
    by_hand        whether somebody asked for it
    evidence       an object:
      changes          what changed, in repositories; what was not looked at, in unseen; null if git could not say
      changes_unknown  why git could not say; else null
      checks           an array of objects: how each check ended
      deeds            what claude itself ran; null for checks that a person started
      auto_push        null if nothing was to be pushed automatically
      cost_usd         null for checks that a person started
docs/json.md has all fields.";

pub(super) const CREATE: &str = "\
With --json an object:
  session    its name
  workspace  its folder
  branch     null until it is made
Exit code: 0 if it is made (with --no-wait: saved), 1 if it cannot be made, 2 if an argument is wrong and nothing was
done, 4 if it is saved, but no bot is running.";

pub(super) const RUN: &str = "\
Steps go to standard error, the answer to standard output.
With --json an object, when the run has ended; times are RFC 3339 in UTC, money is US dollars:
  session     the session's name
  run         the run's id, the name of its folder in runs/
  outcome     completed, failed, stopped, timed_out or lost
  reason      why, if there is more to say; else null
  started_at  null if it never began
  ended_at
  cost_usd
  answers     an array: the last text of each turn
  evidence    as in session inspect; null if nothing was measured
With --no-wait, or without a bot, only session and run.
Exit code: 0 if it has completed (with --no-wait: is saved), 1 if not, 2 if an argument is wrong and nothing was done,
4 if it is saved, but no bot is running.";

pub(super) const VERIFY: &str = "\
With --json an object: the `evidence` of session inspect.
Exit code: 0 if all checks are green, 1 if not, 2 if an argument is wrong and nothing was done, 4 if it is saved, but
no bot is running.";
