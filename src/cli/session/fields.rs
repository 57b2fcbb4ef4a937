//! What programs get with `--json`, field by field, as the help has it.

pub(super) const LIST: &str = "\
With --json an array of objects, the newest session first; times are RFC 3339 in UTC, money is US dollars:
  session     its name
  chat        the chat that it belongs to; 0 where it was made in the shell and no chat has it
  topic       of a forum; null elsewhere
  repository  a URL, a path, or -
  branch      null while its workspace is not made
  workspace   its folder
  state       new, ready or failed
  test_cmd    the session's own command; null: what holds for all; empty: none
  lint_cmd    the same for the linter
  autofix     whether failing checks go back to claude by themselves
  runs        how many have ended
  cost_usd    of all its runs";

pub(super) const INSPECT: &str = "\
With --json an object with the fields of session list, and
  verifications  an array of objects, the newest measurement first:
    at           when it was measured
    run          the run that it is about; null where nothing had run
    by_hand      whether somebody asked for it
    evidence     what was measured: changes, checks, branch, cost";

pub(super) const CREATE: &str = "\
With --json an object:
  session    its name
  workspace  its folder
  branch     null where it is not made yet";

pub(super) const RUN: &str = "\
Steps go to standard error, the answer to standard output.
With --json an object, when the run has ended; times are RFC 3339 in UTC, money is US dollars:
  session     the session's name
  run         the run's id, the name of its folder in runs/
  outcome     completed, failed, stopped, timed_out or lost
  reason      why, where there is more to say; else null
  started_at  null where it never began
  ended_at
  cost_usd
  answers     an array: the last text of each turn
  evidence    what was measured afterwards; null where nothing was
Exit code: 0 if it has completed, 1 if not, 4 if no bot is at work to run it.";

pub(super) const VERIFY: &str = "\
With --json an object: what was measured, as `evidence` in session inspect.
Exit code: 0 if all checks are green, 1 if not, 4 if no bot is at work to run them.";
