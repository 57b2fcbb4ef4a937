//! Tells a running claude what its chat chooses, once for each change.
//!
//! The run's folder says what claude was told: the names of the passed-on lines have it.

use super::Drive;
use super::asking::as_key;
use super::leaving::Phase;
use crate::claude::argv::{Launched, OWN_MODEL};
use crate::claude::control;
use crate::claude::host::Host;
use crate::domain::choices::Choices;
use crate::domain::choices::PermissionMode;
use crate::domain::question::Grant;

/// What claude works with, as far as it was told.
pub(super) struct Told {
    mode: String,
    model: Option<String>,
    pub may_bypass: bool,
    /// The model is one that the chat has chosen, not the session's own.
    chosen_model: bool,
    /// How often each was told.
    modes: usize,
    models: usize,
}

impl Drive<'_> {
    /// Whether claude's model is one that the chat has chosen, and not the session's own.
    pub(super) fn has_chosen_model(&self) -> bool {
        match &self.asking.told {
            Some(told) => told.chosen_model,
            None => Told::of(&self.host, self.runner.own_model(self.session))
                .is_ok_and(|told| told.chosen_model),
        }
    }

    /// Tells a claude that runs what the chat has chosen since it was started; once for each change.
    pub(super) fn tell_choices(
        &mut self,
        choices: &Choices,
        grants: &[Grant],
    ) -> anyhow::Result<()> {
        // A claude that has not begun starts with what is chosen.
        if self.progress.model.is_none() || matches!(self.phase, Phase::LetGo { .. }) {
            return Ok(());
        }
        let own_model = self.runner.own_model(self.session);
        let told = match &mut self.asking.told {
            Some(told) => told,
            none => none.insert(Told::of(&self.host, own_model)?),
        };
        let mode = self.runner.mode(choices, grants);
        let may = mode != PermissionMode::BypassPermissions || told.may_bypass;
        if may && told.mode != mode.name() {
            let key = format!("mode-{}-{}", told.modes, mode.name());
            self.host
                .pass_on(&key, &control::set_permission_mode(mode.name()))?;
            told.mode = mode.name().to_owned();
            told.modes += 1;
        }
        if let Some(model) = choices.model.as_ref().or(own_model)
            && told.model.as_deref().map(as_key) != Some(as_key(model))
            // If no model was named at the start, claude's own choice is the session's own.
            && (choices.model.is_some() || told.chosen_model)
        {
            let key = format!("model-{}-{}", told.models, as_key(model));
            self.host.pass_on(&key, &control::set_model(model))?;
            told.model = Some(model.clone());
            told.models += 1;
            told.chosen_model = own_model != Some(model);
        }
        Ok(())
    }
}

impl Told {
    /// What claude was started with, and what it was told since; the run's folder has both.
    fn of(host: &Host, own_model: Option<&String>) -> std::io::Result<Told> {
        let Launched {
            mode,
            model,
            may_bypass,
        } = host.launched()?;
        let without_number = |key: &String| Some(key.split_once('-')?.1.to_owned());
        let (modes, models) = (host.passed_on("mode-")?, host.passed_on("model-")?);
        let last_model = models.last().and_then(without_number);
        Ok(Told {
            mode: modes
                .last()
                .and_then(without_number)
                .or(mode)
                .unwrap_or_default(),
            chosen_model: last_model.is_some()
                || (model.as_ref() != own_model && model.as_deref() != Some(OWN_MODEL)),
            model: last_model.or(model),
            may_bypass,
            modes: modes.len(),
            models: models.len(),
        })
    }
}
