//! An undo and taking it back, as steps between kept states of a workspace.
//!
//! | what is kept | when | what it means |
//! |---|---|---|
//! | `before` | before the run | where an undo goes |
//! | `undone` | before an undo touches anything | all that it takes away; where taking it back goes |
//! | `tip` | before that | the branch that the run had left, where it was |
//! | `left` | after an undo | what it left; only if that is still so can it be taken back |
//! | `absent` | before a repository is made again | the run had removed it |
//! | `redoing` | before taking it back touches anything | it was allowed, and goes on after a crash |
//! | `found`, one each time | before a step goes on that was cut off, or an undo is taken back | what lay there |
//!
//! Each repository of the workspace has its own. A repository that the run has cloned goes back to what was cloned, and
//! one that it has made in another way stays as it is; one that it removed is made again, and taking the undo back
//! leaves it.

use std::path::Path;

use fail::fail_point;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::known::{Known, differences};
use super::present::{Present, keep_present};
use super::repository::Repository;
use super::restore::{self, Work};
use super::snapshot::{self, Moment, Snapshot};
use super::{Git, GitError, inner, refs};
use crate::domain::changes::Files;
use crate::domain::id::RunId;
use crate::domain::run::Before;
use crate::process::supervised::end_marked;

/// The condition in which an undo finds a repository.
enum Condition {
    /// It is kept, and perhaps what a try has kept that was cut off.
    Kept(Box<(Present, Option<Snapshot>)>),
    /// The run has removed it.
    Absent,
    /// Nothing can be kept of it. It is left, and told.
    Unreadable,
}

/// The undo of a run in its workspace.
pub struct Undo<'a> {
    pub git: &'a Git,
    pub workspace: &'a Path,
    pub run: RunId,
    pub before: &'a Before,
    pub stop: &'a CancellationToken,
    /// Marks every try.
    pub marker: RunId,
}

impl Undo<'_> {
    /// Goes back to what was before the run. Returns what differs from that all the same.
    ///
    /// Nothing was changed if the error is [`GitError::Impossible`]; after any other, [`Undo::go_back_again`].
    pub async fn go(&self, was_cut_off: bool) -> Result<Files, GitError> {
        let all = Known::all(self.top(), self.run, self.before).await?;
        if was_cut_off {
            self.end_what_goes_on(&all).await;
        }
        let was_begun = |known: &Known| was_cut_off && self.kept(known, Moment::Undone).is_some();
        for known in all.iter().filter(|_| !was_cut_off) {
            // Those of an earlier undo do not fit the present state.
            self.forget_steps(self.repository(known)).await?;
        }
        let mut kept = Vec::new();
        for known in &all {
            let repository = self.repository(known);
            let was_absent = was_cut_off && self.kept(known, Moment::Absent).is_some();
            let is_inside = !repository.name().as_os_str().is_empty();
            if is_inside && (!repository.is_there() || was_absent) {
                kept.push(Condition::Absent);
                continue;
            }
            let kept_now = async {
                restore::folder_to_restore(repository)?;
                self.keep_what_goes(known, was_begun(known)).await
            };
            kept.push(match kept_now.await {
                Ok(kept) => Condition::Kept(Box::new(kept)),
                Err(error) if !is_inside => return Err(error),
                Err(_) => Condition::Unreadable,
            });
        }
        let undone = |condition: &Condition| match condition {
            Condition::Kept(kept) => {
                let (present, begun) = &**kept;
                Some(begun.as_ref().unwrap_or(&present.snapshot).clone())
            }
            Condition::Absent | Condition::Unreadable => None,
        };
        let undone: Vec<Option<Snapshot>> = kept.iter().map(undone).collect();
        fail_point!("undo-kept", |_| std::process::abort());
        let gone_back = async {
            for (number, (known, kept)) in all.iter().zip(kept).enumerate() {
                let restored = self.restore_before(known, kept).await;
                restored.map_err(|error| match error {
                    // The one around it is back already.
                    GitError::Impossible(words) if number > 0 => {
                        GitError::Refused { code: None, words }
                    }
                    other => other,
                })?;
            }
            fail_point!("undo-restored", |_| std::process::abort());
            for (known, undone) in all.iter().zip(undone) {
                if let Some(undone) = undone {
                    self.keep(self.repository(known), Moment::Left, &undone)
                        .await?;
                }
            }
            let goals = all.iter().map(|known| (known, &known.before));
            differences(self.top(), &goals.collect::<Vec<_>>()).await
        };
        gone_back.await
    }

    /// Takes an unfinished undo back immediately. If that fails too, the run's result stays under a name that no later
    /// undo uses, and the error is the command that brings its files back.
    pub async fn go_back_again(&self) -> Result<(), String> {
        self.whole_again(Moment::Undone).await
    }

    /// Goes back to what the undo had left, after taking it back was not finished. Errors are as those of
    /// [`Undo::go_back_again`].
    pub async fn stay_undone(&self) -> Result<(), String> {
        self.whole_again(Moment::Left).await
    }

    /// Goes back to a kept state, if there is one, in every repository in which something was begun.
    async fn whole_again(&self, moment: Moment) -> Result<(), String> {
        let Ok(all) = Known::all(self.top(), self.run, self.before).await else {
            // Nothing was begun.
            return Ok(());
        };
        let never = CancellationToken::new();
        let mut failure = None;
        for known in &all {
            let repository = self.repository(known);
            let is_begun = moment == Moment::Undone || self.kept(known, Moment::Redoing).is_some();
            let Some(whole) = self.kept(known, moment).filter(|_| is_begun) else {
                continue;
            };
            let back = async {
                let work = Work {
                    stop: &never,
                    ..self.work(Some(&known.before), None)
                };
                let present = self.keep(repository, Moment::Found, whole).await?;
                restore::restore(repository, &present, whole, work).await?;
                match moment {
                    Moment::Undone => {
                        self.put_tip_back(known, whole).await?;
                        self.forget_steps(repository).await
                    }
                    _ => self.forget_one(repository, &[Moment::Redoing]).await,
                }
            };
            if back.await.is_err() {
                let name = format!("refs/telecoder/{}/kept-{}", self.run, self.marker);
                let name = match snapshot::keep(repository, &whole.commit, &name).await {
                    Ok(()) => name,
                    // Then the commit's id is all that is left.
                    Err(_) => whole.commit.clone(),
                };
                failure.get_or_insert(snapshot::how_to_get(repository, &name));
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Takes the undo back. Returns what differs from what the run had left all the same; `None`, and nothing is done,
    /// if something was added to what the undo had left.
    pub async fn take_back(&self, was_cut_off: bool) -> Result<Option<Files>, GitError> {
        let all = Known::all(self.top(), self.run, self.before).await?;
        if was_cut_off {
            self.end_what_goes_on(&all).await;
        }
        let mut to_restore = Vec::new();
        for known in &all {
            let repository = self.repository(known);
            let left = self.kept(known, Moment::Left);
            // An interrupted try has checked that it may.
            if let Some(undone) = self.kept(known, Moment::Redoing) {
                if !repository.is_there() && !inner::make_again(repository, undone).await? {
                    continue;
                }
                let present = self.keep(repository, Moment::Found, undone).await?;
                to_restore.push((known, undone, present, left));
                continue;
            }
            let (Some(undone), Some(left)) = (self.kept(known, Moment::Undone), left) else {
                continue;
            };
            let present = match repository.is_there() {
                true => Some(self.keep(repository, Moment::Found, undone).await?),
                false => None,
            };
            match present.filter(|present| present.snapshot.is_same_state(left)) {
                Some(present) => to_restore.push((known, undone, present, None)),
                None => {
                    for known in &all {
                        self.forget_one(self.repository(known), &[Moment::Redoing])
                            .await?;
                    }
                    return Ok(None);
                }
            }
        }
        if to_restore.is_empty() {
            return Ok(None);
        }
        for (known, undone, ..) in &to_restore {
            let name = snapshot::reference(self.run, Moment::Redoing);
            snapshot::keep(self.repository(known), &undone.commit, &name).await?;
        }
        for (known, undone, present, first_found) in &to_restore {
            let work = self.work(Some(&known.before), *first_found);
            restore::restore(self.repository(known), present, undone, work).await?;
            self.put_tip_back(known, undone).await?;
        }
        let goals = to_restore
            .iter()
            .map(|(known, undone, ..)| (*known, *undone));
        let mut left = differences(self.top(), &goals.collect::<Vec<_>>()).await?;
        // In a repository that the run had made, nothing was taken away.
        let is_made = |folder: &Path| {
            folder.join(".git").exists() && all.iter().all(|known| known.folder != folder)
        };
        left.leave_out(|file| {
            let path = self.workspace.join(&file.path);
            let mut inside = path.ancestors().take_while(|at| *at != self.workspace);
            inside.any(is_made)
        });
        // A repository that was made again stays.
        let made = all
            .iter()
            .filter(|known| self.kept(known, Moment::Absent).is_some());
        for known in made {
            let repository = self.repository(known);
            if repository.is_there() {
                left.push_unread(repository.name());
            }
        }
        let is_restored =
            |known: &Known| to_restore.iter().any(|(it, ..)| it.folder == known.folder);
        for known in all.iter().filter(|known| !is_restored(known)) {
            if self.kept(known, Moment::Undone).is_some() {
                left.push_unread(self.repository(known).name());
            }
        }
        for known in all.iter().filter(|_| !left.is_empty()) {
            // What the run had left is still to be had.
            if let Some(undone) = self.kept(known, Moment::Undone) {
                let name = self.name_of_found();
                snapshot::keep(self.repository(known), &undone.commit, &name).await?;
            }
        }
        Ok(Some(left))
    }

    /// The repositories that the run has cloned: they stay, as they were then.
    pub async fn clones(&self) -> Result<Vec<String>, GitError> {
        let all = Known::all(self.top(), self.run, self.before).await?;
        let cloned = all.iter().filter(|known| known.before.is_as_cloned);
        let names = cloned.map(|known| self.repository(known).name().join(""));
        Ok(names
            .map(|name| name.to_string_lossy().into_owned())
            .collect())
    }

    /// After it was taken back: what was kept for that is not needed any more.
    pub async fn forget(&self) -> Result<(), GitError> {
        for known in Known::all(self.top(), self.run, self.before).await? {
            self.forget_steps(self.repository(&known)).await?;
        }
        Ok(())
    }

    fn top(&self) -> Repository<'_> {
        Repository::new(self.git, self.workspace)
    }

    fn repository<'b>(&'b self, known: &'b Known) -> Repository<'b> {
        self.top().inner(&known.folder)
    }

    fn kept<'b>(&self, known: &'b Known, moment: Moment) -> Option<&'b Snapshot> {
        known.kept.get(&snapshot::reference(self.run, moment))
    }

    /// The branch that the run had left is where the run had left it.
    async fn put_tip_back(&self, known: &Known, undone: &Snapshot) -> Result<(), GitError> {
        let repository = self.repository(known);
        let (was, is) = (&known.before.position.branch, &undone.position.branch);
        match (was, self.kept(known, Moment::Tip)) {
            (Some(branch), Some(tip)) if was != is => {
                refs::put_branch(repository, branch, &tip.commit).await
            }
            _ => Ok(()),
        }
    }

    /// Keeps what a repository has, and the tip of the branch that the undo puts back. Returns what an interrupted try
    /// has kept as well.
    async fn keep_what_goes(
        &self,
        known: &Known,
        was_begun: bool,
    ) -> Result<(Present, Option<Snapshot>), GitError> {
        let repository = self.repository(known);
        if was_begun {
            // The first try has kept the true state.
            let begun = self.kept(known, Moment::Undone).cloned();
            let present = self.keep(repository, Moment::Found, &known.before).await?;
            return Ok((present, begun));
        }
        if let Some(branch) = &known.before.position.branch
            && let Some(tip) = refs::tip(repository, branch).await
        {
            let name = snapshot::reference(self.run, Moment::Tip);
            repository.open().await?;
            snapshot::keep(repository, &tip, &name).await?;
        }
        let present = self.keep(repository, Moment::Undone, &known.before).await?;
        Ok((present, None))
    }

    async fn restore_before(&self, known: &Known, condition: Condition) -> Result<(), GitError> {
        let repository = self.repository(known);
        let (present, begun) = match condition {
            Condition::Kept(kept) => *kept,
            Condition::Unreadable => return Ok(()),
            Condition::Absent => {
                let name = snapshot::reference(self.run, Moment::Absent);
                snapshot::keep(repository, &known.before.commit, &name).await?;
                if !repository.is_there() && !inner::make_again(repository, &known.before).await? {
                    // It is told.
                    return Ok(());
                }
                let present = self.keep(repository, Moment::Found, &known.before).await?;
                (present, None)
            }
        };
        let work = self.work(None, begun.as_ref());
        restore::restore(repository, &present, &known.before, work).await
    }

    async fn end_what_goes_on(&self, all: &[Known]) {
        end_marked(self.marker).await;
        for known in all {
            let repository = self.repository(known);
            if repository.is_there() {
                refs::unlock(repository, known.before.position.branch.as_deref());
            }
        }
    }

    async fn keep(
        &self,
        repository: Repository<'_>,
        moment: Moment,
        to: &Snapshot,
    ) -> Result<Present, GitError> {
        let name = match moment {
            Moment::Found => self.name_of_found(),
            moment => snapshot::reference(self.run, moment),
        };
        keep_present(repository, &name, to).await
    }

    /// Each may be the only one that has what it has.
    fn name_of_found(&self) -> String {
        let name = snapshot::reference(self.run, Moment::Found);
        format!("{name}-{}", Uuid::new_v4().simple())
    }

    async fn forget_steps(&self, repository: Repository<'_>) -> Result<(), GitError> {
        let gone = [
            Moment::Undone,
            Moment::Redoing,
            Moment::Tip,
            Moment::Left,
            Moment::Absent,
        ];
        self.forget_one(repository, &gone).await
    }

    async fn forget_one(
        &self,
        repository: Repository<'_>,
        moments: &[Moment],
    ) -> Result<(), GitError> {
        snapshot::forget(repository, self.run, moments).await
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
