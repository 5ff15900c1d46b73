//! How many calls a caller may make: in Redis where there is one, else in memory.

use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web;
use branchline_kernel::Kind;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use redis::aio::ConnectionManager;
use tracing::warn;

use crate::problem::Problem;

/// Counts calls per key.
pub struct Limits {
    per_second: NonZeroU32,
    local: DefaultKeyedRateLimiter<String>,
    shared: Option<ConnectionManager>,
}

/// The caller must wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many calls")]
pub struct LimitError;

/// Redis must answer within this time, or memory decides.
const REDIS_PATIENCE: Duration = Duration::from_millis(200);

impl Limits {
    /// At most `per_second` calls per key and second, twice that for an instant.
    #[must_use]
    pub fn new(per_second: NonZeroU32, shared: Option<ConnectionManager>) -> Self {
        let burst = per_second.saturating_add(per_second.get());
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self {
            per_second,
            local: RateLimiter::keyed(quota),
            shared,
        }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// [`LimitError`] when the key has used up its calls.
    pub async fn check(&self, key: &str, now_secs: i64) -> Result<(), LimitError> {
        if let Some(shared) = &self.shared {
            match tokio::time::timeout(REDIS_PATIENCE, count(shared.clone(), key, now_secs)).await {
                Ok(Ok(calls)) => {
                    let most = self.per_second.get().saturating_mul(2);
                    return if calls > u64::from(most) {
                        Err(LimitError)
                    } else {
                        Ok(())
                    };
                }
                Ok(Err(_)) | Err(_) => warn!("Redis does not answer: limits are counted in memory"),
            }
        }
        self.local
            .check_key(&key.to_owned())
            .map_err(|_until| LimitError)
    }

    /// Forgets keys that have not called lately; a timer calls it.
    pub fn forget_idle(&self) {
        self.local.retain_recent();
    }
}

async fn count(mut shared: ConnectionManager, key: &str, second: i64) -> redis::RedisResult<u64> {
    let slot = format!("limit:{{{key}}}:{second}");
    let (calls,): (u64,) = redis::pipe()
        .atomic()
        .cmd("INCR")
        .arg(&slot)
        .cmd("EXPIRE")
        .arg(&slot)
        .arg(2)
        .ignore()
        .query_async(&mut shared)
        .await?;
    Ok(calls)
}

/// Middleware: limits by the address that the connection comes from.
///
/// # Errors
/// 429 with `Retry-After` for a caller over the limit.
pub async fn limit_by_address(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let address = request
        .peer_addr()
        .map(|peer| peer.ip().to_string())
        .unwrap_or_default();
    let limits = request.app_data::<web::Data<Limits>>().cloned();
    let app = request.app_data::<web::Data<crate::App>>().cloned();
    if let (Some(limits), Some(app)) = (limits, app) {
        let now = app.db().clock().now().timestamp();
        if limits.check(&address, now).await.is_err() {
            let detail = "Too many calls from this address: wait a second and go on more slowly.";
            return Err(Problem::new(Kind::TooMany, "too-many-calls", detail).into());
        }
    }
    next.call(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_caller_over_the_limit_is_refused_and_others_are_not() {
        let limits = Limits::new(NonZeroU32::MIN, None);
        for _ in 0..2 {
            assert!(limits.check("a", 0).await.is_ok());
        }
        assert_eq!(limits.check("a", 0).await, Err(LimitError));
        assert!(limits.check("b", 0).await.is_ok());
    }
}
