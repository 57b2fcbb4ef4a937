//! Files that do harm, on purpose or not: nothing hangs, nothing exhausts the machine, nothing leaks.

use std::io::Cursor;
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use serde_json::json;
use telecoder::job::secret::is_named_so;

use crate::files_out::{file, files};
use crate::support::{ADA, CHAT, Machine};

#[test]
fn a_file_in_the_place_of_the_outbox_comes_and_the_next_prompt_runs() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: rmdir $TELECODER_OUTBOX; echo report > $TELECODER_OUTBOX]] [[say: done]]",
    );
    machine.message_with("done");
    assert_eq!(file(&machine, "outbox").1, b"report\n");
    machine.ada_says("[[bash: echo 1 > $TELECODER_OUTBOX/honest]]");
    file(&machine, "honest");
    machine.until_quiet();
    assert_eq!(files(&machine).len(), 2);
}

#[test]
fn an_outbox_that_leads_nowhere_is_told_and_the_next_prompt_runs() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says("[[bash: rmdir $TELECODER_OUTBOX; ln -s /nowhere $TELECODER_OUTBOX]]");
    machine.message_with("the outbox itself: it is a link or a device; only files are sent.");
    machine.ada_says("[[bash: rmdir $TELECODER_OUTBOX; mkfifo $TELECODER_OUTBOX]] [[say: pipe]]");
    machine.message_with("pipe");
    machine.ada_says("[[bash: echo 1 > $TELECODER_OUTBOX/honest]]");
    file(&machine, "honest");
}

#[test]
fn a_name_that_is_no_text_keeps_nothing_from_coming() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine.ada_says(
        "[[bash: cd $TELECODER_OUTBOX; echo good > good; echo odd > \"$(printf '\\377%.0s' $(seq 1 250))\"; \
         mkdir \"$(printf 'd\\377')\"; echo in > \"$(printf 'd\\377/f\\376')\"]]",
    );
    assert_eq!(file(&machine, "good").1, b"good\n");
    machine.until_quiet();
    let mut contents: Vec<Vec<u8>> = files(&machine)
        .into_iter()
        .filter_map(|message| Some(message.file?.1))
        .collect();
    contents.sort();
    assert_eq!(
        contents,
        [b"good\n".to_vec(), b"in\n".to_vec(), b"odd\n".to_vec()]
    );
}

#[test]
fn a_small_picture_that_would_fill_the_memory_goes_along_as_a_file() {
    let machine = Machine::new();
    let side: u32 = 10_500;
    let mut bomb = Cursor::new(Vec::new());
    let pixels = vec![0; side as usize * side as usize * 4];
    PngEncoder::new_with_quality(&mut bomb, CompressionType::Fast, FilterType::NoFilter)
        .write_image(&pixels, side, side, ExtendedColorType::Rgba8)
        .expect("a picture");
    drop(pixels);
    let bomb = bomb.into_inner();
    assert!(bomb.len() < 20 << 20, "Telegram brings it");
    let id = machine.api.put_file("documents/file_1.png", bomb);
    let _bot = machine.start();
    machine.api.deliver_message(
        CHAT,
        ADA,
        json!({"caption": "[[seen]]", "document": {"file_id": id, "file_unique_id": "u",
            "file_name": "bomb.png", "mime_type": "image/png"}}),
    );
    let seen = machine.message_with("[Attached file: ").text;
    assert!(seen.contains("bomb.png"), "{seen}");
}

#[test]
fn a_copy_of_a_secret_is_a_secret() {
    for name in [
        "id_rsa.bak",
        "config/.ENV~",
        ".git/modules/lib/config",
        ".git/config.worktree",
        "server.pem.old",
        "server.key.orig",
        "terraform.tfstate.backup",
        ".id_ed25519.swp",
        "#credentials#",
    ] {
        assert!(is_named_so(Path::new(name)), "{name}");
    }
    for name in [
        "id_rsa.pub",
        ".env.example",
        "config",
        "src/config",
        "notes.bak",
        "keys.rs",
    ] {
        assert!(!is_named_so(Path::new(name)), "{name}");
    }
}

#[test]
fn a_folder_that_can_only_be_too_large_is_refused_at_once() {
    let machine = Machine::new();
    let _bot = machine.start();
    machine
        .ada_says("[[bash: mkdir big; truncate -s 4T big/hole; echo 1 > big/one; echo '*' > big/.gitignore]] [[say: made]]");
    machine.message_with("made");
    machine.until_quiet();
    machine.ada_says("/get big");
    machine.message_with("The folder big is too large for Telegram, even as a zip");
    machine.ada_says("/get big/one");
    file(&machine, "one");
}
