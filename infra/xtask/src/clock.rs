//! How durations are shown.

use std::time::Duration;

/// Such as `1.4 s`.
pub fn seconds(took: Duration) -> String {
    let tenths = took.as_millis() / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// Such as `2.5 min`.
pub fn minutes(took: Duration) -> String {
    let tenths = took.as_secs() / 6;
    format!("{}.{} min", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_decimal() {
        assert_eq!(seconds(Duration::from_millis(1460)), "1.4 s");
        assert_eq!(minutes(Duration::from_secs(153)), "2.5 min");
    }
}
