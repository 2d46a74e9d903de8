//! The tests behind the buttons: is there somebody, do they let us in, do they answer.

use super::setup::{Model, Setup};
use super::{state, who};
use crate::App;
use crate::convert::count;
use crate::dto::{ServerKind, TestReport, TestStep, TestStepKind};
use crate::failure::{Reply, explain};
use errors::{ErrorCode, Explain};
use router::Unavailable;
use std::future::Future;
use std::time::Instant;

/// The server does not list the model that is asked for.
#[derive(Debug, thiserror::Error)]
#[error("the model `{model}` is not among those that are offered")]
struct NotListed {
    model: String,
}

impl Explain for NotListed {
    fn code(&self) -> ErrorCode {
        ErrorCode::ModelNotServed
    }

    fn hint(&self) -> Option<String> {
        Some("Choose another model in Settings.".to_owned())
    }
}

/// The steps made so far.
#[derive(Default)]
struct Steps(Vec<TestStep>);

impl Steps {
    /// Makes one step; `None` where it failed and the test is over.
    async fn make<T, E: Explain + 'static>(
        &mut self,
        step: TestStepKind,
        work: impl Future<Output = Result<T, E>>,
    ) -> Option<T> {
        let began = Instant::now();
        let done = work.await;
        let milliseconds = count(usize::try_from(began.elapsed().as_millis()).unwrap_or(usize::MAX));
        let (value, error) = match done {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(explain(&error, None))),
        };
        self.0.push(TestStep { step, milliseconds, error });
        value
    }

    async fn report(self, app: &App) -> Reply<TestReport> {
        let failed = self.0.iter().find_map(|step| Some(step.error.as_ref()?.code));
        Ok(TestReport { steps: self.0, state: state::read(app).await?, failed })
    }
}

pub(super) async fn cloud(app: &App, setup: &Setup) -> Reply<TestReport> {
    if setup.agreed_at.is_none() {
        return Err(Unavailable::NotAgreed.into());
    }
    let engine = who::gemini(app, setup).await?;
    let wanted = app.elsewhere().cloud.model.clone();
    let mut steps = Steps::default();
    let listed = steps.make(TestStepKind::Models, async {
        let models = engine.models().await?;
        Ok::<_, cloud::Error>(models.iter().any(|model| model.id == wanted))
    });
    if let Some(is_listed) = listed.await {
        if is_listed {
            steps.make(TestStepKind::Reply, engine.try_reply()).await;
        } else {
            let missing = async { Err::<(), _>(NotListed { model: wanted }) };
            steps.make(TestStepKind::Reply, missing).await;
        }
    }
    steps.report(app).await
}

pub(super) async fn school(app: &App, mut setup: Setup) -> Reply<TestReport> {
    let mut steps = Steps::default();
    // What was learnt before is looked at anew.
    app.elsewhere().forget_engines();
    let server = who::school(app, &setup).await?;
    let Some(found) = steps.make(TestStepKind::Models, server.discover()).await else {
        return steps.report(app).await;
    };
    {
        let _changing = app.elsewhere().changing().await;
        let now = Setup::load(app).await?;
        if now.school.address != setup.school.address {
            // Somebody entered another server meanwhile: what was found is not about that one.
            return steps.report(app).await;
        }
        setup = now;
        let models =
            found.models.iter().map(|model| Model { id: model.id.clone(), context_len: model.context_len.map(count) });
        setup.school.kind = Some(kind(found.kind));
        setup.school.models = models.collect();
        setup.school.vision = found.vision;
        if app.elsewhere().managed.is_none() {
            setup.school.model = found.model.clone();
        }
        setup.save(app).await?;
        app.elsewhere().forget_engines();
    }
    let wanted = setup.school.model.clone().unwrap_or_default();
    if !found.models.iter().any(|model| model.id == wanted) {
        steps.make(TestStepKind::Reply, async { Err::<(), _>(NotListed { model: wanted }) }).await;
        return steps.report(app).await;
    }
    let server = who::school(app, &setup).await?;
    if steps.make(TestStepKind::Reply, server.try_reply()).await.is_some() {
        steps.make(TestStepKind::Structure, server.try_structure()).await;
    }
    steps.report(app).await
}

fn kind(kind: cloud::ServerKind) -> ServerKind {
    match kind {
        cloud::ServerKind::Vllm => ServerKind::Vllm,
        cloud::ServerKind::LlamaServer => ServerKind::LlamaServer,
        cloud::ServerKind::Ollama => ServerKind::Ollama,
        cloud::ServerKind::LmStudio => ServerKind::LmStudio,
        cloud::ServerKind::Other => ServerKind::Other,
    }
}
