//! The journey's moves, in the words of the people who make them. The demo plays them; the tests
//! of crashes, leaks and access begin with them.

mod banking;
mod consent;
mod payment;

use anyhow::Context;
use reqwest::Client;

use super::fintech::{Answer, answer};
use super::platform::Platform;
use super::stage::Stage;

pub use banking::{Account, Bank, ELEPHANT, LION, Tenant};
pub use consent::Consent;
pub use payment::{Order, Paid};

/// The journey as far as it has come.
pub struct Journey {
    /// The one client of everybody outside the platform.
    pub http: Client,
    /// The gateway's address.
    pub gateway: String,
    /// The core's address.
    pub core: String,
    platform: Option<Platform>,
}

impl Journey {
    /// Begins on a stage: starts the platform's processes.
    ///
    /// # Errors
    /// When they do not become ready.
    pub async fn begin(stage: &Stage, environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let platform = Platform::start(stage.program(), environment).await?;
        Ok(Self {
            http: branchline_web::outbound_client(branchline_web::Patience::Request)?,
            gateway: stage.gateway_url.clone(),
            core: stage.core_url.clone(),
            platform: Some(platform),
        })
    }

    /// The running processes.
    ///
    /// # Errors
    /// When they were stopped.
    pub fn platform(&mut self) -> anyhow::Result<&mut Platform> {
        self.platform.as_mut().context("the platform was stopped")
    }

    /// Kills the processes and starts them anew.
    ///
    /// # Errors
    /// When they do not become ready.
    pub async fn restart(
        &mut self,
        stage: &Stage,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        if let Some(platform) = self.platform.take() {
            platform.kill().await?;
        }
        self.platform = Some(Platform::start(stage.program(), environment).await?);
        Ok(())
    }

    /// Stops the processes in order.
    ///
    /// # Errors
    /// When one does not end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        match self.platform.take() {
            Some(platform) => platform.stop().await,
            None => Ok(()),
        }
    }

    /// Reads a process's answer without a token.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn look(&self, url: &str) -> anyhow::Result<Answer> {
        answer(self.http.get(url)).await
    }
}
