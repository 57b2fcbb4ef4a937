//! What claude gets in place of a file: the picture itself, or a line that says where the file is.

use std::path::Path;
use std::time::Duration;

use tracing::info;

use super::make_folder;
use super::program::{self, Limits, Ran};
use crate::chat::fetched as words;
use crate::domain::prompt::{Picture, Piece, Written};
use crate::domain::update::FileKind;
use crate::files;
use crate::job::AtWork;
use crate::job::picture::{self, Fitted};
use crate::store::attachments::Attachment;

/// Only a hostile picture takes longer.
const LOOKING: Limits = Limits {
    time: Duration::from_secs(60),
    stdout: 4_096,
};

/// What was said in a voice message: a person's words, as if written.
pub(super) fn spoken(text: String) -> Piece {
    Piece::Written(Written {
        text,
        message: None,
        on_a_new_line: true,
        links: None,
    })
}

/// Errors are those of the file itself.
pub(super) async fn of(
    work: &AtWork<'_>,
    attachment: &Attachment,
    path: &Path,
) -> std::io::Result<Vec<Piece>> {
    let file = &attachment.file;
    let bytes = tokio::fs::metadata(path).await?.len();
    let may_be_seen = matches!(
        file.kind,
        FileKind::Photo | FileKind::Document | FileKind::Sticker
    );
    let media_type = may_be_seen.then(|| picture::media_type(path)).flatten();
    if let Some(media_type) = media_type
        && let Some((fitted, sized)) = fit(work, attachment, path).await
    {
        let line = words::attached_picture(path, media_type, bytes, fitted.is_sized);
        let seen = Picture {
            file: match fitted.is_sized {
                true => sized,
                false => path.to_owned(),
            },
            media_type: fitted.media_type,
        };
        return Ok(vec![Piece::Picture(seen), Piece::Along(line)]);
    }
    let media_type = file.media_type.as_deref().or(media_type);
    Ok(vec![Piece::Along(words::attached_file(
        path, media_type, bytes, file,
    ))])
}

/// The picture for claude, and the path of its smaller copy, if there is one; `None` if it cannot be read.
async fn fit(
    work: &AtWork<'_>,
    attachment: &Attachment,
    path: &Path,
) -> Option<(Fitted, std::path::PathBuf)> {
    let folder = files::sized(&work.handles.data, &work.session.id);
    make_folder(folder.clone()).await.ok()?;
    let sized = folder.join(attachment.id.0.to_string());
    let arguments = vec![
        // The supervisor's own program, even if another one was installed meanwhile.
        "/proc/self/exe".into(),
        picture::COMMAND.into(),
        path.into(),
        sized.clone().into(),
    ];
    let ran = program::run(work, arguments, &folder, &Default::default(), LOOKING).await;
    match ran {
        Ran::Well(said) => Some((serde_json::from_str(&said).ok()?, sized)),
        Ran::Badly { how, words } => {
            info!(session = %work.session.id, how, words, "a picture cannot be shown to claude; it gets its path");
            None
        }
    }
}
