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
pub(in crate::run) struct Told {
    mode: String,
    model: Option<String>,
    pub(super) may_bypass: bool,
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
        Ok(told.tell(&self.host, mode, choices, own_model)?)
    }
}

impl Told {
    /// Whether claude's model is the one that a new claude would have.
    pub fn has_model_of(&self, choices: &Choices) -> bool {
        match (&choices.model, &self.model) {
            (None, _) => !self.chosen_model,
            (Some(chosen), told) => told.as_deref().map(as_key) == Some(as_key(chosen)),
        }
    }

    /// Tells claude what is new in what its chat has chosen.
    pub fn tell(
        &mut self,
        host: &Host,
        mode: PermissionMode,
        choices: &Choices,
        own_model: Option<&String>,
    ) -> std::io::Result<()> {
        let may = mode != PermissionMode::BypassPermissions || self.may_bypass;
        if may && self.mode != mode.name() {
            let key = format!("mode-{}-{}", self.modes, mode.name());
            host.pass_on(&key, &control::set_permission_mode(mode.name()))?;
            self.mode = mode.name().to_owned();
            self.modes += 1;
        }
        if let Some(model) = choices.model.as_ref().or(own_model)
            && self.model.as_deref().map(as_key) != Some(as_key(model))
            // If no model was named at the start, claude's own choice is the session's own.
            && (choices.model.is_some() || self.chosen_model)
        {
            let key = format!("model-{}-{}", self.models, as_key(model));
            host.pass_on(&key, &control::set_model(model))?;
            self.model = Some(model.clone());
            self.models += 1;
            self.chosen_model = own_model != Some(model);
        }
        Ok(())
    }

    /// What claude was started with, and what it was told since; the run's folder has both.
    pub fn of(host: &Host, own_model: Option<&String>) -> std::io::Result<Told> {
        let Launched {
            mode,
            model,
            may_bypass,
        } = host.launched()?;
        let without_number = |key: &String| Some(key.split_once('-')?.1.to_owned());
        let (modes, models) = (host.passed_on("mode-")?, host.passed_on("model-")?);
        let last_model = models.last().and_then(without_number);
        let chosen_at_start =
            model.is_some() && model.as_ref() != own_model && model.as_deref() != Some(OWN_MODEL);
        Ok(Told {
            mode: modes
                .last()
                .and_then(without_number)
                .or(mode)
                .unwrap_or_default(),
            chosen_model: match &last_model {
                Some(told) => own_model.is_none_or(|own| as_key(own) != *told),
                None => chosen_at_start,
            },
            model: last_model.or(model),
            may_bypass,
            modes: modes.len(),
            models: models.len(),
        })
    }
}
