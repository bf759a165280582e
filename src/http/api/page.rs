//! Pages of a list: `data`, `page`, and a `Link` to the next (`rest-and-console.md` A1).

use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::Call;
use super::need::Need;
use super::problem::Failure;
use crate::auth::mac::{mac, same};

/// How many bytes of proof a cursor carries.
const CODE: usize = 16;

/// The parameters of every list; a list with more of its own names these two among them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    pub page: PageInfo,
}

/// Where a page ends.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageInfo {
    /// Send it as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
    pub has_more: bool,
}

/// How many rows a page has: `limit`, 50 unless told.
#[must_use]
pub fn limit(asked: Option<i64>) -> i64 {
    asked.unwrap_or(50).clamp(1, 200)
}

impl<N: Need> Call<N> {
    /// Where the page before ended.
    pub fn after<T: FromStr>(&self, cursor: Option<&str>) -> Result<Option<T>, Failure> {
        let Some(text) = cursor else {
            return Ok(None);
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Failure::Cursor)?;
        let (code, key) = bytes.split_at_checked(CODE).ok_or(Failure::Cursor)?;
        if !same(code, &self.code(key)) {
            return Err(Failure::Cursor);
        }
        let key = std::str::from_utf8(key)
            .ok()
            .and_then(|key| key.parse().ok());
        key.map(Some).ok_or(Failure::Cursor)
    }

    /// What proves that a cursor is ours: of this tenant and this list.
    fn code(&self, key: &[u8]) -> [u8; CODE] {
        let tenant = self.scope.tenant.0.to_be_bytes();
        let whole = mac(
            self.state.cursor_key.as_slice(),
            &[&tenant, self.request.path().as_bytes(), key],
        );
        let mut code = [0; CODE];
        for (to, from) in code.iter_mut().zip(whole) {
            *to = from;
        }
        code
    }

    /// A page: one row more than `limit` was read to see whether there is more.
    pub fn page<R, T: Serialize>(
        &self,
        mut rows: Vec<R>,
        limit: i64,
        cursor_of: impl Fn(&R) -> String,
        show: impl Fn(&R) -> T,
    ) -> HttpResponse {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more).map(cursor_of);
        self.page_with(rows.iter().map(show).collect(), next)
    }

    /// A page whose next one begins behind the key `next`.
    pub fn page_with<T: Serialize>(&self, data: Vec<T>, next: Option<String>) -> HttpResponse {
        let next_cursor = next.map(|key| {
            let code = self.code(key.as_bytes());
            URL_SAFE_NO_PAD.encode([code.as_slice(), key.as_bytes()].concat())
        });
        let mut answer = HttpResponse::Ok();
        if let Some(next) = &next_cursor {
            let kept = self.request.query_string().split('&');
            let kept: String = kept
                .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("cursor"))
                .map(|pair| format!("{pair}&"))
                .collect();
            let path = self.request.path();
            answer.insert_header((
                header::LINK,
                format!("<{path}?{kept}cursor={next}>; rel=\"next\""),
            ));
        }
        let has_more = next_cursor.is_some();
        answer.json(Page {
            data,
            page: PageInfo {
                next_cursor,
                has_more,
            },
        })
    }
}
