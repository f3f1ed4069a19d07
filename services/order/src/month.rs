//! Which months have partitions. In: the months that are there, today, and how many are kept. Out: the months to make
//! and the months to detach. Pure.

use std::fmt;

/// Made this long before their first order.
const AHEAD: i32 = 3;

/// Counted from the year 0, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(i32);

impl Month {
    /// `month` from 1 to 12.
    pub fn new(year: i32, month: i32) -> Option<Self> {
        (1..=12).contains(&month).then(|| Self(year * 12 + month - 1))
    }

    pub fn of(time: jiff::Timestamp) -> Self {
        let date = time.to_zoned(jiff::tz::TimeZone::UTC).date();
        Self(i32::from(date.year()) * 12 + i32::from(date.month()) - 1)
    }

    /// From the name of a partition, `orders_2026_11`; the oldest one may hold everything before its month too.
    pub fn of_partition(name: &str) -> Option<Self> {
        let (year, month) = name.strip_prefix("orders_")?.split_once('_')?;
        Self::new(year.parse().ok()?, month.parse().ok()?)
    }

    pub fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    fn minus(self, months: u32) -> Self {
        Self(self.0.saturating_sub_unsigned(months))
    }

    /// From this month until `later`; 0 when that is not later.
    pub fn until(self, later: Self) -> i32 {
        (later.0 - self.0).max(0)
    }
}

/// The first day, as Postgres reads it.
impl fmt::Display for Month {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-01", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

/// Months that are missing from now on. The oldest one may hold what was before it too, so none is made before it.
pub fn to_make(there: &[Month], this: Month) -> Vec<Month> {
    let oldest = there.iter().min();
    let wanted = (0..=AHEAD).map(|months| this.plus(months));
    wanted
        .filter(|month| !there.contains(month) && oldest.is_none_or(|oldest| month > oldest))
        .collect()
}

/// Months older than `keep` full ones.
pub fn to_detach(there: &[Month], this: Month, keep: Option<u32>) -> Vec<Month> {
    let Some(keep) = keep else { return Vec::new() };
    let oldest = this.minus(keep);
    there.iter().copied().filter(|month| *month < oldest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(year: i32, month: i32) -> Month {
        Month::new(year, month).unwrap()
    }

    #[test]
    fn months_know_their_names_and_their_time() {
        assert_eq!(month(2026, 12).plus(1).to_string(), "2027-01-01");
        assert_eq!(Month::of_partition("orders_2026_11"), Some(month(2026, 11)));
        for name in [
            "orders",
            "orders_pkey",
            "orders_2026_13",
            "orders_2026",
            "order_lines_2026_11",
        ] {
            assert_eq!(Month::of_partition(name), None, "{name}");
        }
        let at = |text: &str| Month::of(text.parse().unwrap());
        assert_eq!(at("2026-11-30T23:59:59.999Z"), month(2026, 11));
        assert_eq!(at("2026-12-01T00:00:00Z"), month(2026, 12));
        assert_eq!(at("2026-12-01T00:30:00+01:00"), month(2026, 11));
    }

    #[test]
    fn what_is_missing_is_made_and_what_is_old_is_detached() {
        let this = month(2026, 11);
        assert_eq!(to_make(&[], this).len(), 4);
        assert_eq!(to_make(&[this, this.plus(1), this.plus(3)], this), [month(2027, 1)]);
        assert_eq!(to_make(&[this.plus(1)], this), [month(2027, 1), month(2027, 2)]);
        let there: Vec<Month> = (0..6).map(|back| this.plus(-back)).collect();
        assert_eq!(to_detach(&there, this, None), []);
        assert_eq!(to_detach(&there, this, Some(4)), [month(2026, 6)]);
        assert_eq!(to_detach(&there, this, Some(1)).len(), 4);
        assert_eq!(to_detach(&there, this, Some(u32::MAX)), []);
    }
}
