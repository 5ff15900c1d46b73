//! The core's jobs: the job library wakes payments up, and a sweep finds what it lost.

use std::fmt;
use std::time::Duration;

use branchline_db::{Db, Program, jobs};
use branchline_kernel::{PaymentId, Secret, TenantId};
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, Worker, WorkerContext, WorkerOptions};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tracing::warn;

use super::{Process, timers};
use crate::config::Config;
use crate::executor;

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

/// The door, as the job library hands it to its tasks.
#[derive(Clone)]
struct Door(Db);

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door")
    }
}

impl TaskHandler for AdvancePayment {
    const IDENTIFIER: &'static str = "advance_payment";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let Some(door) = context.get_ext::<Door>() else {
            return Err("the worker was started without its door".to_owned());
        };
        let done = executor::advance(&door.0, &self.tenant, self.payment).await;
        done.map_err(|error| error.to_string())
    }
}

/// Starts the worker and the sweep. The first worker must come up; a later one that loses its
/// database is replaced until the database is back.
pub(super) async fn start(
    config: &Config,
    db: &Db,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let database = &config.database;
    let url = database
        .require(&database.core_jobs_url, "database.core_jobs_url")?
        .clone();
    let mut worker = worker(&url, db, process).await?;
    let (ends, door) = (process.clone(), db.clone());
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
                match self::worker(&url, &door, &ends).await {
                    Ok(worker) => break worker,
                    Err(error) => warn!("The jobs cannot be reached: {error:#}"),
                }
            };
        }
    });
    let db = db.clone();
    timers::every(SWEEP, process, running, move || {
        let db = db.clone();
        async move { Ok(executor::sweep(&db).await.map(drop)?) }
    });
    Ok(())
}

async fn worker(url: &Secret<String>, db: &Db, process: &Process) -> anyhow::Result<Worker> {
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
        .add_extension(Door(db.clone()))
        .define_job::<AdvancePayment>()
        .init()
        .await?;
    Ok(worker)
}
