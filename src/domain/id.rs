//! Ids of chats, people, sessions, runs and messages.
//!
//! Plain values without behaviour. Numbers come from the Bot API; `SessionId`, `RunId` and `JobId` are telecoder's.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A private chat (positive, equal to the user's id) or a group (negative). Bot API: `Chat.id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChatId(pub i64);

impl ChatId {
    /// No chat: the place of sessions made in a shell. The Bot API never gives this id.
    pub const SHELL: ChatId = ChatId(0);

    /// Groups and channels have negative ids.
    pub fn is_group(self) -> bool {
        self.0 < 0
    }
}

/// A forum topic. Bot API: `message_thread_id` of a message with `is_topic_message`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ThreadId(pub i32);

/// Bot API: `User.id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UserId(pub u64);

/// Bot API: `message_id`, unique within a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageId(pub i32);

/// Bot API: `update_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UpdateId(pub i64);

/// A stored update's place in the order of arrival. Unlike Telegram's ids, it is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UpdateSeq(pub i64);

/// The place of a session: a chat, or one topic of a forum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChatThread {
    pub chat: ChatId,
    pub thread: Option<ThreadId>,
}

impl fmt::Display for ChatThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.thread {
            Some(thread) => write!(f, "{}/{}", self.chat.0, thread.0),
            None => write!(f, "{}", self.chat.0),
        }
    }
}

/// The secret of an invitation link. Bot API: the parameter of `/start`, at most 64 of `[A-Za-z0-9_-]`.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteCode(String);

impl InviteCode {
    /// 128 random bits, as 32 hexadecimal digits.
    pub fn random() -> InviteCode {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).expect("the system has random numbers");
        InviteCode(bits.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// `None` for a text that cannot be one.
    pub fn parse(text: &str) -> Option<InviteCode> {
        let is_one = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_one.then(|| InviteCode(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteCode(…)")
    }
}

/// A secret of the page: of a link, of a browser that has used one, or of a program. Nobody can guess one.
#[derive(Clone, PartialEq, Eq)]
pub struct PageKey(String);

impl PageKey {
    /// 128 random bits, as 32 hexadecimal digits.
    pub fn random() -> PageKey {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).expect("the system has random numbers");
        PageKey(bits.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// `None` for a text that cannot be one.
    pub fn parse(text: &str) -> Option<PageKey> {
        let is_one = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_one.then(|| PageKey(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageKey(…)")
    }
}

/// Names a routine for people: eight hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoutineId(pub String);

impl RoutineId {
    pub fn random() -> RoutineId {
        let mut bits = [0; 4];
        getrandom::fill(&mut bits).expect("the system has random numbers");
        RoutineId(bits.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for RoutineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a question of claude's in the data of its buttons. Nobody can guess one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QuestionId(String);

impl QuestionId {
    /// 128 random bits, as 32 hexadecimal digits.
    pub fn random() -> QuestionId {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).expect("the system has random numbers");
        QuestionId(bits.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// `None` for a text that cannot be one.
    pub fn parse(text: &str) -> Option<QuestionId> {
        let is_one = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_one.then(|| QuestionId(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names a session and its branch: eight characters that are easy to read aloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub String);

impl SessionId {
    /// 40 random bits in an alphabet without `i`, `l`, `o` and `u`.
    pub fn random() -> SessionId {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let random = Uuid::new_v4();
        let name = random.as_bytes()[..8]
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
            .collect();
        SessionId(name)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One `claude` process from start to end; also the name of its folder. Sorts by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId(pub Uuid);

impl RunId {
    pub fn new() -> RunId {
        RunId(Uuid::now_v7())
    }
}

impl Default for RunId {
    fn default() -> Self {
        RunId::new()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A piece of work in a workspace other than a run. Sorts by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct JobId(pub Uuid);

impl JobId {
    pub fn new() -> JobId {
        JobId(Uuid::now_v7())
    }
}

impl Default for JobId {
    fn default() -> Self {
        JobId::new()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The `uuid` of a prompt on claude's input: claude drops a second message with the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PromptId(pub Uuid);

/// A file that came with a message: a row of `attachments`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttachmentId(pub i64);

/// claude's own id of a conversation: the argument of `--resume`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClaudeSessionId(pub String);

impl fmt::Display for ClaudeSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
