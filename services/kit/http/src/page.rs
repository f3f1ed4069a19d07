//! Lists in pages. A cursor is opaque to clients: base64url of the JSON of whatever a service orders a list by. A
//! service asks its store for one row more than the limit, which tells whether there is another page.

use crate::ApiError;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shop_contract::api::Page;

/// Least, default and most.
const LIMIT: (i64, i64, i64) = (1, 20, 100);
/// Longer than any cursor made here.
const LONGEST_CURSOR: usize = 512;

/// The query of a list without filters. One with filters has the same two fields and calls [`PageQuery::limit`] and
/// [`position`] on a `PageQuery` made of them.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next_cursor` of the page before.
    #[param(max_length = 512)]
    pub cursor: Option<String>,
    /// Entries on a page; 20 without it.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
}

impl PageQuery {
    pub fn limit(&self) -> Result<i64, ApiError> {
        let (least, default, most) = LIMIT;
        let limit = self.limit.unwrap_or(default);
        if !(least..=most).contains(&limit) {
            return Err(wrong(format!("limit is {limit}: must be between {least} and {most}")));
        }
        Ok(limit)
    }

    /// Where the page begins; `None` is the first page.
    pub fn position<T: DeserializeOwned>(&self) -> Result<Option<T>, ApiError> {
        self.cursor.as_deref().map(position).transpose()
    }
}

/// The cursor of a position in a list.
pub fn cursor(position: &impl Serialize) -> Result<String, ApiError> {
    let json = serde_json::to_vec(position).map_err(|error| ApiError::internal("service", error))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// The position of a cursor, or 400.
pub fn position<T: DeserializeOwned>(cursor: &str) -> Result<T, ApiError> {
    let bytes = Some(cursor).filter(|cursor| cursor.len() <= LONGEST_CURSOR);
    let bytes = bytes.and_then(|cursor| URL_SAFE_NO_PAD.decode(cursor).ok());
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| wrong("cursor: pass the `next_cursor` of the page before"))
}

/// A page of the rows a store returned when asked for `limit + 1`.
pub fn page<T, P: Serialize>(mut rows: Vec<T>, limit: i64, position_of: impl Fn(&T) -> P) -> Result<Page<T>, ApiError> {
    let limit = usize::try_from(limit).unwrap_or_default();
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor(&position_of(last))).transpose()?;
    Ok(Page {
        items: rows,
        next_cursor,
    })
}

fn wrong(detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "query", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_position() {
        let found: (i64, String) = position(&cursor(&(7, "seven")).unwrap()).unwrap();
        assert_eq!(found, (7, "seven".to_owned()));
    }

    #[test]
    fn what_is_no_cursor_is_400() {
        let long = "a".repeat(513);
        for text in ["", "%", "e30", &long, &cursor(&"seven").unwrap()] {
            assert_eq!(position::<i64>(text).unwrap_err().status, 400, "{text}");
        }
    }

    #[test]
    fn limits_are_kept() {
        let with = |limit| PageQuery { cursor: None, limit }.limit();
        assert_eq!((with(None).unwrap(), with(Some(100)).unwrap()), (20, 100));
        for limit in [0, -1, 101, i64::MAX] {
            assert_eq!(with(Some(limit)).unwrap_err().status, 400, "{limit}");
        }
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let full = page(vec![1, 2, 3], 2, |last| *last).unwrap();
        assert_eq!(full.items, [1, 2]);
        assert_eq!(position::<i32>(&full.next_cursor.unwrap()).unwrap(), 2);
        assert_eq!(page(vec![1, 2], 2, |last| *last).unwrap().next_cursor, None);
    }
}
