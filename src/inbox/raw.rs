//! `/raw`: reads back what was written to claude's input for the last prompt.
//!
//! The run's record has its first prompt as written. The line of a later one is not kept: the same function makes it
//! from the same row.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::disk::{self, NoAnswer};
use crate::chat::logs;
use crate::chat::raw::{self, Origin, Reached, Shown, Start};
use crate::claude::argv::APPEND_SYSTEM_PROMPT;
use crate::claude::control;
use crate::claude::folder::{RunFolder, Spec};
use crate::domain::id::{ChatThread, PromptId};
use crate::domain::outgoing::Outgoing;
use crate::domain::prompt::{Block, Content, Picture};
use crate::store::{Store, StoreError, prompts};

/// Arguments that say what claude does, rather than how telecoder speaks with it.
const THAT_MATTER: [&str; 6] = [
    "--model",
    "--permission-mode",
    "--effort",
    "--session-id",
    "--resume",
    "--add-dir",
];

pub(super) async fn read(
    store: &Store,
    runs: &Path,
    at: ChatThread,
) -> Result<Outgoing, StoreError> {
    let found = store
        .transaction(move |db| prompts::newest_reached(db, at))
        .await?;
    let Some((prompt, process)) = found else {
        return Ok(raw::none_yet());
    };
    let path = runs.join(process.to_string());
    let folder = RunFolder::new(path.clone());
    // Pictures are read too.
    let read = disk::look(&path, move || {
        look(&prompt.content, prompt.id, folder.read_spec().ok().as_ref())
    })
    .await;
    Ok(match read {
        Ok(Some(reached)) => raw::reached(&reached),
        Ok(None) => raw::gone(),
        Err(NoAnswer) => logs::disk_does_not_answer(),
    })
}

fn look(content: &Content, id: PromptId, spec: Option<&Spec>) -> Option<Reached> {
    let line: Value = serde_json::from_str(&control::user_message(content, id)).ok()?;
    Some(Reached {
        blocks: blocks(&line["message"]["content"], content),
        start: spec.map(start),
    })
}

/// The blocks as they are in the line; the row says only whose they are.
fn blocks(written: &Value, content: &Content) -> Vec<Shown> {
    if let Some(text) = written.as_str() {
        return vec![Shown::Text {
            text: text.to_owned(),
            origin: Origin::Person,
        }];
    }
    let written = written.as_array().map_or(&[][..], Vec::as_slice);
    let origins = origins(content);
    let is_known = origins.len() == written.len();
    written
        .iter()
        .enumerate()
        .map(|(number, block)| {
            let origin = origins.get(number).filter(|_| is_known);
            shown(block, origin)
        })
        .collect()
}

fn shown(block: &Value, origin: Option<&Came<'_>>) -> Shown {
    if block["type"] == "image" {
        let source = &block["source"];
        let data = source["data"].as_str().unwrap_or_default();
        return Shown::Picture {
            media_type: source["media_type"].as_str().unwrap_or_default().to_owned(),
            bytes: STANDARD.decode(data).map_or(0, |bytes| bytes.len() as u64),
            file: match origin {
                Some(Came::From(picture)) => Some(picture.file.clone()),
                _ => None,
            },
        };
    }
    Shown::Text {
        text: block["text"].as_str().unwrap_or_default().to_owned(),
        origin: match origin {
            Some(Came::Written) => Origin::Person,
            Some(Came::Along | Came::From(_)) => Origin::Telecoder,
            None => Origin::Unknown,
        },
    }
}

/// The origin of a block.
enum Came<'a> {
    Written,
    Along,
    From(&'a Picture),
}

/// In the order of [`Content::blocks`].
fn origins(content: &Content) -> Vec<Came<'_>> {
    let came = |block| match block {
        Block::Words(_) => Came::Written,
        Block::Along(_) => Came::Along,
        Block::Picture(picture) => Came::From(picture),
    };
    content.blocks().into_iter().map(came).collect()
}

fn start(spec: &Spec) -> Start {
    let mut start = Start::default();
    for pair in spec.arguments.windows(2) {
        let [name, value] = pair else {
            continue;
        };
        if name == APPEND_SYSTEM_PROMPT {
            start.appended_to_system_prompt = Some(value.clone());
        } else if THAT_MATTER.contains(&name.as_str()) {
            start.arguments.push(format!("{name} {value}"));
        }
    }
    start
}
