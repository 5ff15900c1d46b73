//! The core's jobs: the job library wakes payments up, and a sweep finds what it lost.

use branchline_db::Db;
use tokio::task::JoinSet;

use super::Process;
use crate::config::Config;

pub(super) async fn start(
    _config: &Config,
    _db: &Db,
    _process: &Process,
    _running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    Ok(())
}
