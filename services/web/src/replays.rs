//! Identifiers that may be used once for a short time, such as the `jti` of a client assertion.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use branchline_kernel::Timestamp;
use redis::aio::ConnectionManager;
use tracing::warn;

/// Remembers what was used: in Redis where there is one, else in memory. It guards short-lived
/// assertions only; what must survive is in the database.
#[derive(Default)]
pub struct Replays {
    seen: Mutex<HashMap<String, Timestamp>>,
    shared: Option<ConnectionManager>,
}

const REDIS_PATIENCE: Duration = Duration::from_millis(200);
/// Above this many entries the expired ones are swept out.
const SWEEP_ABOVE: usize = 10_000;

impl Replays {
    /// A memory, shared when there is a Redis.
    #[must_use]
    pub fn new(shared: Option<ConnectionManager>) -> Self {
        Self {
            seen: Mutex::default(),
            shared,
        }
    }

    /// Whether `key` is used for the first time; it is remembered until `until`.
    pub async fn is_first_use(&self, key: &str, now: Timestamp, until: Timestamp) -> bool {
        let first_here = self.is_first_here(key, now, until);
        let Some(shared) = &self.shared else {
            return first_here;
        };
        let millis = until.signed_duration_since(now).num_milliseconds().max(1);
        match tokio::time::timeout(REDIS_PATIENCE, remember(shared.clone(), key, millis)).await {
            Ok(Ok(first)) => first && first_here,
            Ok(Err(_)) | Err(_) => {
                warn!("Redis does not answer: replays are watched in memory");
                first_here
            }
        }
    }

    fn is_first_here(&self, key: &str, now: Timestamp, until: Timestamp) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() > SWEEP_ABOVE {
            seen.retain(|_, expires| *expires > now);
        }
        let known = seen.get(key).is_some_and(|expires| *expires > now);
        if !known {
            seen.insert(key.to_owned(), until);
        }
        !known
    }
}

async fn remember(
    mut shared: ConnectionManager,
    key: &str,
    millis: i64,
) -> redis::RedisResult<bool> {
    let set: Option<String> = redis::cmd("SET")
        .arg(format!("replay:{key}"))
        .arg(1)
        .arg("NX")
        .arg("PX")
        .arg(millis)
        .query_async(&mut shared)
        .await?;
    Ok(set.is_some())
}

#[cfg(test)]
mod tests {
    use branchline_kernel::{Clock, SystemClock};
    use chrono::TimeDelta;

    use super::*;

    #[actix_web::test]
    async fn a_second_use_is_noticed_until_the_first_has_expired() {
        let replays = Replays::default();
        let now = SystemClock.now();
        let later = |from: Timestamp| from.checked_add_signed(TimeDelta::seconds(60)).unwrap();
        let until = later(now);
        assert!(replays.is_first_use("jti", now, until).await);
        assert!(!replays.is_first_use("jti", now, until).await);
        assert!(replays.is_first_use("jti", until, later(until)).await);
    }
}
