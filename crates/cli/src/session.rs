//! What `ask` and `chat` share: which model answers, how it is asked, what its badge says.

use api::dto::Language;
use api::places::Places;
use api::terminal::{
    EngineInfo, EngineKind, GenerateRequest, Message, ModelFacts, Role, Sampling, Terminal, TerminalOptions,
    tutor_messages,
};

use crate::args::{Device, Engine, Lang};
use crate::output::Failure;
use crate::preferred::preferred;

/// An open model and how it is asked.
pub struct Session {
    /// The model's process.
    pub terminal: Terminal,
    /// What was opened.
    pub facts: ModelFacts,
    lang: Lang,
    system: Option<String>,
    no_system: bool,
    sampling: Sampling,
    max_tokens: usize,
}

impl Session {
    /// Opens the model that `args` names, or the one that the window would use.
    pub async fn open(args: &Engine) -> Result<Self, Failure> {
        let places = Places::of_this_user()?;
        let device = args.device.into();
        let (model, device) = match &args.model {
            Some(path) => {
                api::terminal::check_model(path)?;
                (path.clone(), device)
            }
            None => {
                let preferred = preferred(&places).await;
                api::terminal::default_model(&places, device, args.context, preferred.as_deref())?
            }
        };
        let options = TerminalOptions { model, device, context_len: args.context };
        let terminal = Terminal::open(&options, &places);
        let facts = match terminal.ready().await {
            Ok(facts) => facts,
            Err(error) => {
                terminal.close().await;
                return Err(error.into());
            }
        };
        let sampling =
            Sampling { temperature: args.temperature, top_p: args.top_p, top_k: args.top_k, seed: args.seed };
        Ok(Self {
            terminal,
            facts,
            lang: Lang::or_system(args.lang),
            system: args.system.clone(),
            no_system: args.no_system,
            sampling,
            max_tokens: args.max_tokens,
        })
    }

    /// The request that puts `turns` to the model.
    pub fn request(&self, id: &str, turns: &[Message]) -> GenerateRequest {
        let mut messages = tutor_messages(self.lang.into(), turns.iter().cloned());
        if self.no_system {
            messages.retain(|message| message.role != Role::System);
        } else if let (Some(text), Some(first)) = (&self.system, messages.first_mut()) {
            first.content.clone_from(text);
        }
        GenerateRequest {
            sampling: self.sampling.clone(),
            max_tokens: self.max_tokens,
            ..GenerateRequest::new(id, messages)
        }
    }
}

/// The badge as text, e.g. `[Local · Gemma 4 E2B · CPU]`.
pub fn badge(engine: &EngineInfo) -> String {
    let kind = match engine.kind {
        EngineKind::Local => "Local",
        EngineKind::Demo => "Demo",
        EngineKind::Cloud => "Cloud",
        EngineKind::School => "School",
    };
    let parts = [kind, &engine.model, &engine.device];
    let shown: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("[{}]", shown.join(" · "))
}

impl From<Device> for api::terminal::DeviceChoice {
    fn from(device: Device) -> Self {
        match device {
            Device::Auto => Self::Auto,
            Device::Cpu => Self::Cpu,
            Device::Cuda => Self::Cuda,
            Device::Metal => Self::Metal,
        }
    }
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Es => Self::Es,
            Lang::En => Self::En,
            Lang::Pt => Self::Pt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn badges() {
        let engine = |kind, model: &str, device: &str| EngineInfo { kind, model: model.into(), device: device.into() };
        assert_eq!(badge(&engine(EngineKind::Local, "Gemma 4 E2B", "CPU")), "[Local · Gemma 4 E2B · CPU]");
        assert_eq!(badge(&engine(EngineKind::Demo, "", "")), "[Demo]");
    }
}
