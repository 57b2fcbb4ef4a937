//! What a client shows for a moment when a button was pressed.

pub const STOPPING: &str = "Stopping.";
pub const RUN_IS_OVER: &str = "This run is over.";
pub const GOING_ON: &str = "Going on.";
pub const TAKEN_UP: &str = "It was taken up already.";
pub const RUNNING: &str = "Running.";
pub const NOTHING_HELD: &str = "Nothing is held back any more.";
pub const SENDING: &str = "Sending.";
pub const NOTHING_TO_SEND: &str = "Everything was sent already.";
pub const NO_EFFECT: &str = "This button does nothing any more.";
