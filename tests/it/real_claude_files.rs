//! Files from the chat with the real claude: it sees what was sent, and may read it in a mode that asks.

use std::fs;
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::json;

use crate::real_claude::machine;
use crate::support::{ADA, CHAT};

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        Rgb(if (x + y) % 2 == 0 {
            [200, 10, 10]
        } else {
            [9; 3]
        })
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture)
        .write_to(&mut bytes, format)
        .expect("a picture");
    bytes.into_inner()
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn an_image_block_reaches_the_model_byte_for_byte() {
    let machine = machine();
    let _bot = machine.start();
    for (format, media_type, ending) in [
        (ImageFormat::Jpeg, "image/jpeg", "jpg"),
        (ImageFormat::Png, "image/png", "png"),
        (ImageFormat::WebP, "image/webp", "webp"),
        (ImageFormat::Gif, "image/gif", "gif"),
    ] {
        let content = picture(40, 30, format);
        let id = machine
            .api
            .put_file(&format!("documents/{ending}.{ending}"), content.clone());
        let document =
            json!({"file_id": id, "file_unique_id": id, "file_name": format!("a.{ending}")});
        let fields = json!({"document": document, "caption": "[[pictures]]"});
        machine.api.deliver_message(CHAT, ADA, fields);
        machine.message_with(&format!("{media_type} {}", STANDARD.encode(&content)));
    }
}

#[test]
#[ignore = "needs the real claude: .ci/run installs and runs it"]
fn a_file_that_was_sent_may_be_read_in_a_mode_that_refuses_other_folders() {
    let machine = machine().with("TELECODER_PERMISSION_MODE", "acceptEdits");
    let _bot = machine.start();
    machine.ada_says("hello");
    machine.message_with("You said: hello");
    let session = fs::read_dir(machine.data().join("workspaces"))
        .expect("workspaces")
        .map(|workspace| workspace.expect("a workspace").file_name())
        .next()
        .expect("a session");
    let path = machine
        .data()
        .join("files")
        .join(session)
        .join("inbox/secret plan.txt");
    let id = machine
        .api
        .put_file("documents/file_1.txt", "the plan is to read this");
    let document = json!({"file_id": id, "file_unique_id": id, "file_name": "secret plan.txt"});
    let read = json!({"file_path": path});
    let caption = format!("[[tool: Read {read}]] [[say: read it]]");
    let fields = json!({"document": document, "caption": caption});
    machine.api.deliver_message(CHAT, ADA, fields);
    let answer = machine.message_with("read it");
    assert!(!answer.text.contains("not allowed"), "{}", answer.text);
    machine.until_quiet();
    machine.ada_says("/logs 50");
    machine.message_with("the plan is to read this");
}
