//! A run's record, read in pages for a person: the newest steps first, or on from where a reader is.
//!
//! The record is `events.jsonl`; a step's place in it is the byte behind its line, which stays what it is. A page is
//! read from its own part of the file, however long the rest is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::message::{Block, Content, essential_argument, result_text};
use crate::domain::transcript::{Call, CallResult, Step, What};

/// A line with more bytes is passed over.
const LINE_MOST: u64 = 2 * 1024 * 1024;
/// How much of the file is read at once on the way back.
const CHUNK: u64 = 128 * 1024;
/// The most that is read on the way back for one page.
const READ_MOST: u64 = 16 * 1024 * 1024;

/// The last steps that end at `to` at the latest and behind `from`, and whether there are earlier ones.
///
/// Without words that were still being written: their text follows them.
pub fn before(
    path: &Path,
    from: u64,
    to: Option<u64>,
    most: usize,
) -> io::Result<(Vec<Step>, bool)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let end = to.map_or(length, |to| to.min(length));
    let mut begin = end;
    let mut steps: Vec<Step> = Vec::new();
    // The part of a line whose beginning is not read yet.
    let mut rest: Vec<u8> = Vec::new();
    while begin > from && steps.len() <= most && end - begin < READ_MOST {
        let start = begin.saturating_sub(CHUNK).max(from);
        let mut chunk = vec![0; usize::try_from(begin - start).unwrap_or_default()];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut chunk)?;
        chunk.append(&mut rest);
        let whole_from = match start == from {
            true => 0,
            false => match chunk.iter().position(|byte| *byte == b'\n') {
                Some(newline) => newline + 1,
                None => {
                    rest = chunk;
                    begin = start;
                    continue;
                }
            },
        };
        rest = chunk[..whole_from].to_vec();
        let mut found = Vec::new();
        let mut at = start + whole_from as u64;
        for line in chunk[whole_from..].split_inclusive(|byte| *byte == b'\n') {
            at += line.len() as u64;
            if line.ends_with(b"\n") {
                lines_steps(line, at, &mut found);
            }
        }
        found.retain(|step| !matches!(step.what, What::Words(_)));
        found.append(&mut steps);
        steps = found;
        begin = start;
    }
    let has_more = begin > from || steps.len() > most;
    if steps.len() > most {
        // Steps of one line stay together.
        let mut cut = steps.len() - most;
        while cut > 0 && steps[cut - 1].end == steps[cut].end {
            cut -= 1;
        }
        steps.drain(..cut);
    }
    Ok((steps, has_more))
}

/// The steps behind the byte `from`, at most so many lines, and the byte to go on from.
pub fn after(path: &Path, from: u64, to: Option<u64>, most: usize) -> io::Result<(Vec<Step>, u64)> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut file = BufReader::new(file);
    let (mut steps, mut at, mut line) = (Vec::new(), from, Vec::new());
    for _ in 0..most {
        if to.is_some_and(|to| at >= to) {
            break;
        }
        line.clear();
        let read = file
            .by_ref()
            .take(LINE_MOST + 1)
            .read_until(b'\n', &mut line)? as u64;
        if read > LINE_MOST {
            let Some(skipped) = skip_line(&mut file)? else {
                break;
            };
            at += read + skipped;
            steps.push(Step {
                end: at,
                what: What::TooLong(read + skipped),
            });
            continue;
        }
        if !line.ends_with(b"\n") {
            break;
        }
        at += read;
        lines_steps(&line, at, &mut steps);
    }
    Ok((steps, at))
}

/// Reads to the end of the line; `None` if that is not written yet.
fn skip_line(file: &mut BufReader<File>) -> io::Result<Option<u64>> {
    let mut skipped = 0;
    loop {
        let part = file.fill_buf()?;
        if part.is_empty() {
            return Ok(None);
        }
        let newline = part.iter().position(|byte| *byte == b'\n');
        let length = newline.map_or(part.len(), |newline| newline + 1);
        file.consume(length);
        skipped += length as u64;
        if newline.is_some() {
            return Ok(Some(skipped));
        }
    }
}

fn lines_steps(line: &[u8], end: u64, steps: &mut Vec<Step>) {
    if line.len() as u64 > LINE_MOST {
        steps.push(Step {
            end,
            what: What::TooLong(line.len() as u64),
        });
        return;
    }
    read(line, &mut |what| steps.push(Step { end, what }));
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    subtype: Option<String>,
    message: Option<Message>,
    parent_tool_use_id: Option<String>,
    #[serde(default, rename = "isReplay")]
    is_replay: bool,
    #[serde(default, rename = "isSynthetic")]
    is_synthetic: bool,
    #[serde(default)]
    is_error: bool,
    event: Option<StreamEvent>,
    compact_metadata: Option<Value>,
}

#[derive(Deserialize)]
struct StreamEvent {
    delta: Option<Delta>,
}

#[derive(Deserialize)]
struct Delta {
    text: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Content,
}

/// Hands what a line says to `take`, in order; nothing for most kinds of lines.
pub fn read(line: &[u8], take: &mut impl FnMut(What)) {
    let Ok(line) = serde_json::from_slice::<Line>(line) else {
        return;
    };
    let parent = line.parent_tool_use_id;
    match (line.kind.as_str(), line.subtype.as_deref()) {
        ("stream_event", _) => {
            let text = line.event.and_then(|event| event.delta?.text);
            if let (None, Some(text)) = (parent, text) {
                take(What::Words(text));
            }
        }
        ("assistant", _) => {
            for block in line.message.map(blocks).unwrap_or_default() {
                match block {
                    Block::Text { text } => take(What::Text {
                        text,
                        parent: parent.clone(),
                    }),
                    Block::Thinking { thinking } if !thinking.trim().is_empty() => {
                        take(What::Thought {
                            text: thinking,
                            parent: parent.clone(),
                        });
                    }
                    Block::ToolUse { id, name, input } => take(What::Call(Call {
                        id,
                        tool: name,
                        argument: essential_argument(&input),
                        input,
                        parent: parent.clone(),
                    })),
                    Block::Thinking { .. } | Block::ToolResult { .. } | Block::Unknown => {}
                }
            }
        }
        ("user", _) if line.is_synthetic => {}
        ("user", _) if line.is_replay => {
            let words: Vec<String> = line
                .message
                .map(blocks)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|block| match block {
                    Block::Text { text } => Some(text),
                    _ => None,
                })
                .collect();
            take(What::Prompt(words.join("\n")));
        }
        ("user", _) => {
            for block in line.message.map(blocks).unwrap_or_default() {
                if let Block::ToolResult {
                    tool_use_id,
                    is_error,
                    content,
                } = block
                {
                    let text = result_text(&content).into_owned();
                    let blocks = content.as_array().into_iter().flatten();
                    let pictures = blocks.filter(|block| block["type"] == "image").count();
                    take(What::Result(CallResult {
                        of: tool_use_id,
                        failed: is_error.unwrap_or(false),
                        text,
                        pictures,
                        parent: parent.clone(),
                    }));
                }
            }
        }
        ("result", _) => take(What::TurnEnded {
            failed: line.is_error,
        }),
        ("system", Some("compact_boundary")) => {
            let before = line.compact_metadata.as_ref();
            let before = before.and_then(|data| data.get("pre_tokens")?.as_u64());
            take(What::Remark(match before {
                Some(tokens) => format!("The conversation was compacted; it had {tokens} tokens."),
                None => "The conversation was compacted.".to_owned(),
            }));
        }
        ("system", Some("api_retry")) => {
            take(What::Remark(
                "The API failed and is asked again.".to_owned(),
            ));
        }
        _ => {}
    }
}

fn blocks(message: Message) -> Vec<Block> {
    match message.content {
        Content::Blocks(blocks) => blocks,
        Content::Text(text) => vec![Block::Text { text }],
    }
}
