//! How people answer what claude asks: by a button with a label, by a reply.

use serde_json::json;
use telecoder::demo::bot_api::Posted;
use telecoder::domain::id::{ChatId, UserId};

use super::{BOT, Machine};

impl Machine {
    /// The message with this button that has `part` in it. The live message may have the same words, but not the button.
    pub fn message_with_button(&self, part: &str, label: &str) -> Posted {
        self.until(&format!("a message with {part:?} and {label:?}"), || {
            self.bot_messages().into_iter().find(|message| {
                let labelled = message.buttons.iter().any(|(text, _)| text == label);
                labelled && message.text.contains(part)
            })
        })
    }

    /// Somebody presses the button with this label.
    pub fn press(&self, user: UserId, message: &Posted, label: &str) {
        let found = message.buttons.iter().find(|(text, _)| text == label);
        let (_, data) = found.unwrap_or_else(|| panic!("no {label} below {message:?}"));
        self.api.press(user, message, data);
    }

    /// Somebody replies to a message of the bot.
    pub fn reply(&self, user: UserId, to: &Posted, text: &str) -> i32 {
        self.until_known_to_have_arrived(to);
        let (chat, kind) = match to.chat {
            private @ 0.. => (
                private,
                json!({"id": private, "type": "private", "first_name": "P"}),
            ),
            group => (
                group,
                json!({"id": group, "type": "supergroup", "title": "Team"}),
            ),
        };
        self.api.deliver_message(
            ChatId(chat),
            user,
            json!({"text": text, "reply_to_message": {"message_id": to.id, "date": 1, "chat": kind,
                "from": {"id": 1, "is_bot": true, "first_name": "telecoder", "username": BOT},
                "text": to.text}}),
        )
    }

    /// Waits until the bot knows that its message has arrived: killed before that, it would send it once more.
    pub fn until_known_to_have_arrived(&self, message: &Posted) {
        let sql = format!(
            "SELECT count(*) FROM sent_parts WHERE message_id = {}",
            message.id
        );
        self.until("it is known to have arrived", || {
            (self.rows(&sql) != [0]).then_some(())
        });
    }

    /// The message as it stands now.
    pub fn now(&self, message: &Posted) -> Posted {
        let all = self.api.messages();
        let same = |other: &&Posted| other.chat == message.chat && other.id == message.id;
        all.iter().find(same).expect("it is there").clone()
    }
}
