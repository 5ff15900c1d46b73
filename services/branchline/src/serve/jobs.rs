//! The core's jobs: the job library wakes payments up, and a sweep finds what it lost.

use std::fmt;
use std::time::Duration;

use branchline_db::{Program, jobs};
use branchline_kernel::{PaymentId, Secret, TenantId};
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, Worker, WorkerContext, WorkerOptions};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tracing::warn;

use super::{Process, timers};
use crate::config::Config;
use crate::executor::Executor;

/// The sweep makes the queue expendable: whatever is due is found within this time.
const SWEEP: Duration = Duration::from_secs(5);
const CONCURRENCY: usize = 4;
const POLL: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(15);
const REPLACE_AFTER: Duration = Duration::from_secs(1);

/// What the payments' jobs say.
#[derive(Deserialize, Serialize)]
struct AdvancePayment {
    tenant: TenantId,
    payment: PaymentId,
}

/// The executor, as the job library hands it to its tasks.
#[derive(Clone)]
struct Carrier(Executor);

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carrier")
    }
}

impl TaskHandler for AdvancePayment {
    const IDENTIFIER: &'static str = "advance_payment";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let Some(carrier) = context.get_ext::<Carrier>() else {
            return Err("the worker was started without its executor".to_owned());
        };
        let done = carrier.0.advance(&self.tenant, self.payment).await;
        done.map_err(|error| error.to_string())
    }
}

/// Starts the worker and the sweep. The first worker must come up; a later one that loses its
/// database is replaced until the database is back.
pub(super) async fn start(
    config: &Config,
    executor: &Executor,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let database = &config.database;
    let url = database
        .require(&database.core_jobs_url, "database.core_jobs_url")?
        .clone();
    let mut worker = worker(&url, executor, process).await?;
    let (ends, carrier) = (process.clone(), executor.clone());
    running.spawn(async move {
        loop {
            let ended = worker.run().await;
            // The worker reports how it was told to end as an error of its own.
            if *ends.ending.borrow() {
                return Ok(());
            }
            warn!("The worker of the jobs ended and is replaced: {ended:?}");
            worker = loop {
                tokio::select! {
                    () = ends.ends() => return Ok(()),
                    () = tokio::time::sleep(REPLACE_AFTER) => {}
                }
                match self::worker(&url, &carrier, &ends).await {
                    Ok(worker) => break worker,
                    Err(error) => warn!("The jobs cannot be reached: {error:#}"),
                }
            };
        }
    });
    let executor = executor.clone();
    timers::every(SWEEP, process, running, move || {
        let executor = executor.clone();
        async move { Ok(executor.sweep().await.map(drop)?) }
    });
    Ok(())
}

async fn worker(
    url: &Secret<String>,
    executor: &Executor,
    process: &Process,
) -> anyhow::Result<Worker> {
    let jobs = jobs::pool(Program::Core, url)?;
    let ends = process.clone();
    let worker = WorkerOptions::default()
        .schema(jobs.schema)
        .pg_pool(jobs.pool)
        .concurrency(CONCURRENCY)
        .poll_interval(POLL)
        .heartbeat_interval(Duration::from_secs(5))
        .sweep_interval(Duration::from_secs(10))
        .sweep_threshold(Duration::from_secs(20))
        .recovery_delay(Duration::from_secs(1))
        .listen_os_shutdown_signals(false)
        .shutdown_signal(async move { ends.ends().await })
        .shutdown_grace_period(GRACE)
        .add_extension(Carrier(executor.clone()))
        .define_job::<AdvancePayment>()
        .init()
        .await?;
    Ok(worker)
}
