//! What a client shows for a moment when a button was pressed.

pub const STOPPING: &str = "Stopping.";
pub const RUN_IS_OVER: &str = "This run is over.";
pub const GOING_ON: &str = "Going on.";
pub const TAKEN_UP: &str = "It was taken up already.";
pub const RUNNING: &str = "Running.";
pub const NOTHING_TO_RUN: &str = "Nothing is held back any more.";
pub const TRYING: &str = "Trying.";
pub const LOGGING_IN: &str = "Beginning; the link comes in a moment.";
pub const NO_LOGIN_NEEDED: &str = "Claude is logged in, as far as I know.";
pub const LOGIN_UNDER_WAY: &str = "It has begun; the link is above or comes in a moment.";
pub const SENDING: &str = "Sending.";
pub const SENT_BEFORE: &str = "It was sent already.";
pub const NOTHING_TO_SEND: &str = "Everything was sent already.";
pub const REMOVED: &str = "Removed.";
pub const LINKS_CANCELLED: &str = "They let nobody in any more.";
pub const ONLY_OWNER: &str = "Only the owner of the bot can do that.";
pub const SWITCHED: &str = "This chat goes on there.";
pub const BUSY: &str = "Something is running here; stop it first.";
pub const NO_EFFECT: &str = "This button does nothing any more.";
pub const JOB_IS_OVER: &str = "This is over.";
pub const CHANGED_SINCE: &str = "The workspace has changed since.";
pub const RUN_GOES_ON: &str = "A run is going on; stop it first.";
pub const UNDOING: &str = "Going back.";
pub const REDOING: &str = "Taking the undo back.";
pub const FIXING: &str = "It goes back to claude.";
pub const QUESTION_IS_OVER: &str = "This question is over.";
pub const NOT_YOUR_QUESTION: &str =
    "Only who asked claude, or the owner of the bot, can answer this.";
pub const ANSWERED: &str = "Claude gets your answer.";
pub const REPLY_WITH_WORDS: &str = "Write it as a reply to my message.";
pub const CHOOSE_ONE_FIRST: &str = "Choose at least one, or reply in your own words.";
pub const NOT_SET: &str = "That cannot be set here.";
pub const CHOICE_SET: &str = "Set.";
pub const CHECKS_SET: &str = "They run now, and after each run.";
pub const CANCELLED: &str = "It will not run.";
pub const CANCELLING: &str = "Taking it back from claude.";
pub const CLAUDE_HAS_BEGUN: &str = "Claude has begun with it; /stop ends it.";
pub const CORRECTED: &str = "Claude is told.";
pub const RUNNING_AGAIN: &str = "It runs again.";
pub const ONLY_WRITER_OR_OWNER: &str =
    "Only who wrote the message, or the owner of the bot, can do that.";
