//! An undo and taking it back, as steps between kept states of a workspace.
//!
//! | what is kept | when | what it means |
//! |---|---|---|
//! | `before` | before the run | where an undo goes |
//! | `undone` | before an undo touches anything | all that it takes away; where taking it back goes |
//! | `tip` | before that | the branch that the run had left, where it was |
//! | `left` | after an undo | what it left; only if that is still so can it be taken back |
//! | `redoing` | before taking it back touches anything | it was allowed, and goes on after a crash |
//! | `found`, one each time | before a step goes on that was cut off, or an undo is taken back | what lay there |

use std::path::Path;

use fail::fail_point;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::index::{self, OwnIndex};
use super::present::{Present, keep_present};
use super::refs;
use super::repository::Repository;
use super::restore::{self, Work};
use super::snapshot::{self, Moment, Snapshot};
use super::{Git, GitError, diff};
use crate::domain::changes::Files;
use crate::domain::id::RunId;
use crate::process::supervised::end_marked;

/// The undo of a run in its workspace.
pub struct Undo<'a> {
    pub git: &'a Git,
    pub workspace: &'a Path,
    pub run: RunId,
    /// The branch of a workspace that had neither a file nor a commit before the run.
    pub was_empty: Option<&'a str>,
    pub stop: &'a CancellationToken,
    /// Marks every try.
    pub marker: RunId,
}

impl Undo<'_> {
    /// Goes back to what was before the run. Returns what differs from that all the same.
    ///
    /// Nothing was changed if the error is [`GitError::Impossible`]; after any other, [`Undo::go_back_again`].
    pub async fn go(&self, was_cut_off: bool) -> Result<Files, GitError> {
        let (git, workspace) = (self.git, self.workspace);
        let before = snapshot::before(git, workspace, self.run, self.was_empty).await?;
        if was_cut_off {
            self.end_what_goes_on(&before).await;
        }
        // An interrupted try has kept the true state.
        let begun = match was_cut_off {
            true => self.find(Moment::Undone).await?,
            false => None,
        };
        let present = match &begun {
            Some(_) => self.keep(Moment::Found, &before).await?,
            None => self.keep_what_goes(&before).await?,
        };
        fail_point!("undo-kept", |_| std::process::abort());
        restore::restore(
            git,
            workspace,
            &present,
            &before,
            self.work(None, begun.as_ref()),
        )
        .await?;
        fail_point!("undo-restored", |_| std::process::abort());
        if let Some(undone) = self.find(Moment::Undone).await? {
            self.keep(Moment::Left, &undone).await?;
        }
        let index = OwnIndex::within(&git.scratch);
        index::look(git, workspace, &index).await?;
        diff::files(git, workspace, &before.commit, &index).await
    }

    /// Takes an unfinished undo back immediately. If that fails too, the run's result stays under a name that no later
    /// undo uses, and the error is the command that brings its files back.
    pub async fn go_back_again(&self) -> Result<(), String> {
        let (git, workspace) = (self.git, self.workspace);
        let Ok(Some(undone)) = self.find(Moment::Undone).await else {
            // Nothing was begun.
            return Ok(());
        };
        let never = CancellationToken::new();
        let back = async {
            let before = snapshot::before(git, workspace, self.run, self.was_empty).await?;
            let work = Work {
                stop: &never,
                ..self.work(Some(&before), None)
            };
            let present = self.keep(Moment::Found, &undone).await?;
            restore::restore(git, workspace, &present, &undone, work).await?;
            self.put_tip_back(&before, &undone).await
        };
        if back.await.is_ok() {
            return Ok(());
        }
        let name = format!("refs/telecoder/{}/kept-{}", self.run, self.marker);
        let name = match snapshot::keep(git, workspace, &undone.commit, &name).await {
            Ok(()) => name,
            // Then the commit's id is all that is left.
            Err(_) => undone.commit,
        };
        Err(snapshot::how_to_get(git, workspace, &name))
    }

    /// Takes the undo back. Returns false, and does nothing, if something was added to what the undo had left.
    pub async fn take_back(&self, was_cut_off: bool) -> Result<bool, GitError> {
        let (git, workspace) = (self.git, self.workspace);
        let before = snapshot::before(git, workspace, self.run, self.was_empty).await?;
        if was_cut_off {
            self.end_what_goes_on(&before).await;
        }
        let left = self.find(Moment::Left).await?;
        let begun = self.find(Moment::Redoing).await?;
        let is_begun = begun.is_some();
        let (undone, present) = match begun {
            // An interrupted try has checked that it may.
            Some(undone) => {
                let present = self.keep(Moment::Found, &undone).await?;
                (undone, present)
            }
            None => {
                let (Some(undone), Some(left)) = (self.find(Moment::Undone).await?, &left) else {
                    return Ok(false);
                };
                let present = self.keep(Moment::Found, &undone).await?;
                if !present.snapshot.is_same_state(left) {
                    return Ok(false);
                }
                let name = snapshot::reference(self.run, Moment::Redoing);
                snapshot::keep(git, workspace, &undone.commit, &name).await?;
                (undone, present)
            }
        };
        let work = self.work(Some(&before), left.as_ref().filter(|_| is_begun));
        restore::restore(git, workspace, &present, &undone, work).await?;
        self.put_tip_back(&before, &undone).await?;
        Ok(true)
    }

    /// The branch that the run had left is where the run had left it.
    async fn put_tip_back(&self, before: &Snapshot, undone: &Snapshot) -> Result<(), GitError> {
        match (&before.branch, self.find(Moment::Tip).await?) {
            (Some(branch), Some(tip)) if before.branch != undone.branch => {
                refs::put_branch(self.git, self.workspace, branch, &tip.commit).await
            }
            _ => Ok(()),
        }
    }

    /// After it was taken back: what was kept for that is not needed any more.
    pub async fn forget(&self) -> Result<(), GitError> {
        let gone = [Moment::Undone, Moment::Redoing, Moment::Tip, Moment::Left];
        snapshot::forget(self.git, self.workspace, self.run, &gone).await
    }

    /// Keeps the workspace, and the tip of the branch that the undo puts back.
    async fn keep_what_goes(&self, before: &Snapshot) -> Result<Present, GitError> {
        let (git, workspace) = (self.git, self.workspace);
        // Those of an earlier undo do not fit the present state.
        self.forget().await?;
        if let Some(branch) = &before.branch
            && let Some(tip) = refs::tip(git, workspace, branch).await
        {
            let name = snapshot::reference(self.run, Moment::Tip);
            Repository::new(git, workspace).open().await?;
            snapshot::keep(git, workspace, &tip, &name).await?;
        }
        self.keep(Moment::Undone, before).await
    }

    async fn end_what_goes_on(&self, before: &Snapshot) {
        end_marked(self.marker).await;
        refs::unlock(self.git, self.workspace, before.branch.as_deref());
    }

    async fn find(&self, moment: Moment) -> Result<Option<Snapshot>, GitError> {
        let name = snapshot::reference(self.run, moment);
        snapshot::find(self.git, self.workspace, &name).await
    }

    async fn keep(&self, moment: Moment, to: &Snapshot) -> Result<Present, GitError> {
        let mut name = snapshot::reference(self.run, moment);
        if moment == Moment::Found {
            // Each may be the only one that has what it has.
            name.push_str(&format!("-{}", Uuid::new_v4().simple()));
        }
        keep_present(self.git, self.workspace, &name, to).await
    }

    fn work<'a>(
        &'a self,
        looked_at: Option<&'a Snapshot>,
        first_found: Option<&'a Snapshot>,
    ) -> Work<'a> {
        Work {
            looked_at,
            first_found,
            stop: self.stop,
            marker: self.marker,
        }
    }
}
