//! The steps of a run as a program gets them: whole, without secrets.

use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::super::body::without_secrets;
use super::place::Place;
use crate::claude::transcript;
use crate::domain::transcript::{Step, What};
use crate::store::records::Record;

/// When so many bytes are read, no further line is.
const ENOUGH: u64 = 256 * 1024;

/// A step. A field that has nothing to say is `None`.
#[derive(Debug, Default, Serialize)]
struct Shown<'a> {
    id: String,
    /// `prompt`, `text`, `thought`, `call`, `result`, `remark`, `turn_ended` or `too_long`.
    kind: &'static str,
    /// What is said, thought, or came back.
    text: Option<&'a str>,
    /// Of a call and its result: claude's id of the call.
    call: Option<&'a str>,
    tool: Option<&'a str>,
    input: Option<&'a Value>,
    /// Of a result and the end of a turn.
    failed: Option<bool>,
    /// How many pictures a result has; they are not here.
    pictures: Option<usize>,
    /// The call that started the subagent which did this.
    parent: Option<&'a str>,
    /// How long a line is that is too long to be here.
    bytes: Option<u64>,
}

/// The steps behind a place, from at most so many lines, each with the place behind it; and where to go on.
pub(super) fn read(
    path: &Path,
    record: &Record,
    from: Place,
    lines: usize,
) -> io::Result<(Vec<(Place, Value)>, Place)> {
    let mut steps = Vec::new();
    if let Some(within) = from.within {
        let (of_line, _) = transcript::before(path, record.begins_at(), Some(from.end), 1)?;
        let of_line: Vec<Step> = of_line
            .into_iter()
            .filter(|step| step.end == from.end)
            .collect();
        steps.extend(numbered(&of_line).into_iter().skip(within + 1));
    }
    let (behind, end) = behind(path, record, from.end, lines)?;
    // They come once more as a whole text.
    let behind = behind.into_iter();
    let behind: Vec<Step> = behind
        .filter(|step| !matches!(step.what, What::Words(_)))
        .collect();
    steps.extend(numbered(&behind));
    Ok((steps, Place::behind(end)))
}

/// Line by line, until it is enough: any of them may be long.
fn behind(path: &Path, record: &Record, from: u64, lines: usize) -> io::Result<(Vec<Step>, u64)> {
    let (mut steps, mut at) = (Vec::new(), from);
    for _ in 0..lines {
        let (of_line, end) = transcript::after(path, at, record.ends_at(), 1)?;
        steps.extend(of_line);
        if end == at || end - from > ENOUGH {
            return Ok((steps, end));
        }
        at = end;
    }
    Ok((steps, at))
}

fn numbered(steps: &[Step]) -> Vec<(Place, Value)> {
    let mut numbered = Vec::new();
    for of_line in steps.chunk_by(|one, next| one.end == next.end) {
        for (number, step) in of_line.iter().enumerate() {
            let place = Place {
                end: step.end,
                within: (number + 1 < of_line.len()).then_some(number),
            };
            numbered.push((place, without_secrets(&shown(place, step))));
        }
    }
    numbered
}

fn shown(place: Place, step: &Step) -> Shown<'_> {
    let bare = |kind| Shown {
        id: place.to_string(),
        kind,
        ..Shown::default()
    };
    let saying = |kind, text| Shown {
        text: Some(text),
        ..bare(kind)
    };
    match &step.what {
        What::Prompt(text) => saying("prompt", text),
        What::Words(text) => saying("text", text),
        What::Text { text, parent } => Shown {
            parent: parent.as_deref(),
            ..saying("text", text)
        },
        What::Thought { text, parent } => Shown {
            parent: parent.as_deref(),
            ..saying("thought", text)
        },
        What::Call(call) => Shown {
            call: Some(&call.id),
            tool: Some(&call.tool),
            input: Some(&call.input),
            parent: call.parent.as_deref(),
            ..bare("call")
        },
        What::Result(result) => Shown {
            call: Some(&result.of),
            failed: Some(result.failed),
            pictures: Some(result.pictures),
            parent: result.parent.as_deref(),
            ..saying("result", &result.text)
        },
        What::Remark(text) => saying("remark", text),
        What::TurnEnded { failed } => Shown {
            failed: Some(*failed),
            ..bare("turn_ended")
        },
        What::TooLong(bytes) => Shown {
            bytes: Some(*bytes),
            ..bare("too_long")
        },
    }
}
