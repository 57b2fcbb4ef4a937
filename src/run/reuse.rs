//! A claude that lives on after a run: whether the next run can take place in it.

use crate::claude::argv;
use crate::claude::folder::{Kept, RunFolder};
use crate::claude::host::Host;
use crate::domain::choices::Choices;
use crate::domain::process::Process;
use crate::domain::question::Grant;
use crate::domain::session::{Reported, Session};
use crate::run::drive::choosing::Told;
use crate::run::start::Runner;
use crate::store;

/// A run that begins in a claude reads all that claude has written before. With a longer record a new claude is there
/// as soon.
const RECORD_LIMIT: u64 = 4 * 1024 * 1024;

impl Runner {
    /// Whether a claude that lives works as one would that is started now for a run in this chat.
    pub fn fits(
        &self,
        process: &Process,
        session: &Session,
        reported: &Reported,
        choices: &Choices,
        grants: &[Grant],
    ) -> std::io::Result<bool> {
        let folder = RunFolder::new(self.folder.join(process.id.to_string()));
        if !matches!(folder.kept()?, Kept::Alive(_)) {
            return Ok(false);
        }
        if process.background.is_empty() && process.read_to > RECORD_LIMIT {
            return Ok(false);
        }
        // It counts from claude's start.
        if self.time_limit.is_some() {
            return Ok(false);
        }
        let wanted = self.arguments(process.id, process.at, session, choices, grants, &folder);
        let host = Host::open(folder)?;
        let told = Told::of(&host, self.own_model(session))?;
        Ok(process.conversation == session.claude_session
            && reported.mode == self.mode(choices, grants).name()
            && told.has_model_of(choices)
            && argv::are_alike(&host.arguments()?, &wanted))
    }

    /// Tells a claude that lives what its chat has chosen since.
    pub fn tell(
        &self,
        process: &Process,
        session: &Session,
        choices: &Choices,
        grants: &[Grant],
    ) -> std::io::Result<()> {
        let folder = RunFolder::new(self.folder.join(process.id.to_string()));
        let host = Host::open(folder)?;
        let own_model = self.own_model(session);
        Told::of(&host, own_model)?.tell(&host, self.mode(choices, grants), choices, own_model)
    }

    /// A limit for one run cannot be changed in a claude that lives, so none is kept then.
    pub(super) fn keeps_warm(&self) -> bool {
        self.warm.is_some() && self.warm_most > 0 && self.time_limit.is_none()
    }

    /// Until when a claude is kept warm from now on, in Unix milliseconds.
    pub fn warm_until(&self) -> Option<i64> {
        let warm = self.warm.filter(|_| self.keeps_warm())?;
        Some(store::now() + i64::try_from(warm.as_millis()).unwrap_or(i64::MAX / 2))
    }
}
