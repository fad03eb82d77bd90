//! What day it is, for templates that ask.

use minijinja::{Error, ErrorKind};

/// A moment, in seconds since 1970 began, on a clock that knows no time zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub i64);

impl Default for Moment {
    /// 26 July 2024, noon: the day that Llama 3's own template takes if it knows none.
    fn default() -> Moment {
        Moment(1_721_995_200)
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

impl Moment {
    /// Python's `strftime` in the C locale.
    pub(super) fn format(self, format: &str) -> Result<String, Error> {
        let (days, seconds) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let of_year = days - days_until(year, 1, 1) + 1;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        let weekday = DAYS[days.rem_euclid(7) as usize];
        let month_name = MONTHS[month as usize - 1];
        let mut out = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let mut directive = chars.next();
            // `%-d` is `%d` without what it is filled up with.
            let bare = directive == Some('-');
            if bare {
                directive = chars.next();
            }
            let filled = |value: i64, width: usize| match bare {
                true => value.to_string(),
                false => format!("{value:0width$}"),
            };
            let text = match directive {
                Some('Y') => format!("{year:04}"),
                Some('y') => filled(year.rem_euclid(100), 2),
                Some('m') => filled(month, 2),
                Some('d') => filled(day, 2),
                Some('e') if bare => day.to_string(),
                Some('e') => format!("{day:2}"),
                Some('H') => filled(hour, 2),
                Some('I') => filled(twelve, 2),
                Some('M') => filled(minute, 2),
                Some('S') => filled(second, 2),
                Some('f') => "000000".into(),
                Some('j') => filled(of_year, 3),
                Some('p') => if hour < 12 { "AM" } else { "PM" }.into(),
                Some('B') => month_name.into(),
                Some('b' | 'h') => month_name[..3].into(),
                Some('A') => weekday.into(),
                Some('a') => weekday[..3].into(),
                Some('w') => ((days + 4).rem_euclid(7)).to_string(),
                Some('F') => format!("{year:04}-{month:02}-{day:02}"),
                Some('T') => format!("{hour:02}:{minute:02}:{second:02}"),
                Some('D' | 'x') => format!("{month:02}/{day:02}/{:02}", year.rem_euclid(100)),
                // A clock without a time zone.
                Some('Z' | 'z') => String::new(),
                Some('%') => "%".into(),
                other => {
                    let directive = other.map(String::from).unwrap_or_default();
                    return Err(Error::new(
                        ErrorKind::InvalidOperation,
                        format!("strftime_now: `%{directive}` is not supported"),
                    ));
                }
            };
            out.push_str(&text);
        }
        Ok(out)
    }
}

/// Days from 1 January 1970 to a date of the Gregorian calendar.
fn days_until(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that a leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leaps + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The date that many days after 1 January 1970: year, month, day.
fn civil(days: i64) -> (i64, i64, i64) {
    // A first guess that is at most a year off, then the month by the days before it.
    let guess = 1970 + days.div_euclid(366) - 1;
    let year = (guess..).take_while(|year| days_until(*year, 1, 1) <= days).last().unwrap_or(guess);
    let month = (1..=12).rev().find(|month| days_until(year, *month, 1) <= days).unwrap_or(1);
    (year, month, days - days_until(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_formatted_as_python_formats_them() {
        let all = "%Y-%m-%d %H:%M:%S %y %b %B %a %A %j %I %p %-d %-m %e %% %w";
        for (seconds, text) in [
            (1_721_995_200, "2024-07-26 12:00:00 24 Jul July Fri Friday 208 12 PM 26 7 26 % 5"),
            (0, "1970-01-01 00:00:00 70 Jan January Thu Thursday 001 12 AM 1 1  1 % 4"),
            (1_709_164_799, "2024-02-28 23:59:59 24 Feb February Wed Wednesday 059 11 PM 28 2 28 % 3"),
            (1_709_164_800, "2024-02-29 00:00:00 24 Feb February Thu Thursday 060 12 AM 29 2 29 % 4"),
            (4_102_444_800, "2100-01-01 00:00:00 00 Jan January Fri Friday 001 12 AM 1 1  1 % 5"),
        ] {
            assert_eq!(Moment(seconds).format(all).unwrap(), text);
        }
        assert!(Moment(0).format("%Q").unwrap_err().to_string().contains("%Q"));
    }
}
