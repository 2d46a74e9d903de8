//! Who answers: Cloud Boost, the school's server, what each group of features uses.

use crate::App;
use crate::dto::{EnginesInput, EnginesState, IpcError, SchoolInput, TestReport};
use crate::failure::Refusal;

/// To be wired.
///
/// # Errors
/// Always.
pub async fn get(app: &App) -> Result<EnginesState, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// To be wired.
///
/// # Errors
/// Always.
pub async fn set(app: &App, _input: EnginesInput) -> Result<EnginesState, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// To be wired.
///
/// # Errors
/// Always.
pub async fn cloud_key_set(app: &App, _key: String) -> Result<EnginesState, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// To be wired.
///
/// # Errors
/// Always.
pub async fn cloud_key_remove(app: &App) -> Result<EnginesState, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// To be wired.
///
/// # Errors
/// Always.
pub async fn cloud_agree(app: &App, _agree: bool) -> Result<EnginesState, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// To be wired.
///
/// # Errors
/// Always.
pub async fn cloud_test(app: &App) -> Result<TestReport, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// To be wired.
///
/// # Errors
/// Always.
pub async fn school_set(app: &App, _input: SchoolInput) -> Result<EnginesState, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// To be wired.
///
/// # Errors
/// Always.
pub async fn school_test(app: &App) -> Result<TestReport, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// To be wired.
///
/// # Errors
/// Always.
pub async fn school_model(app: &App, _id: String) -> Result<EnginesState, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}
