//! Pages of a list: `data`, `page`, and a `Link` to the next (`rest-and-console.md` A1).

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::call::Call;
use super::need::Need;
use super::problem::Failure;
use crate::auth::mac::{mac, same};
use crate::service::listing::{Found, Paging, Place};

/// How many bytes of proof a cursor carries.
const CODE: usize = 16;

/// The parameters of every list, beside its own.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many rows at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// `total`: how many rows the whole list has.
    #[param(inline, style = Form, explode = false)]
    pub include: Option<Vec<Include>>,
}

/// What a list tells beside its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    Total,
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
    /// How many rows the whole list has; with `include=total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

/// A list as it was asked for.
#[derive(Debug)]
pub struct List {
    /// One row more than is shown, to see whether there is more.
    pub paging: Paging,
    order: &'static str,
}

/// The values of `sort` of a list: each way up and, with a minus before it, down.
macro_rules! sorts {
    ($(#[$doc:meta])* $name:ident: $by:ty { $($up:ident $down:ident = $text:tt $minus:tt $value:expr),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
        pub enum $name { $(#[serde(rename = $text)] $up, #[serde(rename = $minus)] $down),* }

        impl $name {
            /// By what, and whether downwards.
            const fn order(self) -> ($by, bool) {
                match self { $(Self::$up => ($value, false), Self::$down => ($value, true)),* }
            }

            /// As it stands in the query.
            const fn name(self) -> &'static str {
                match self { $(Self::$up => $text, Self::$down => $minus),* }
            }
        }
    };
}
pub(super) use sorts;

impl<N: Need> Call<N> {
    /// A list's own parameters, and those of every list.
    pub fn listed<T: IntoParams + DeserializeOwned>(&self) -> Result<(T, PageQuery), Failure> {
        self.query::<Both<T>>().map(|Both(own, page)| (own, page))
    }

    /// The part of a list that is asked for; `order` names its order, which a cursor belongs to.
    pub fn list(&self, page: PageQuery, order: &'static str) -> Result<List, Failure> {
        let limit = page.limit.unwrap_or(50).clamp(1, 200);
        Ok(List {
            paging: Paging {
                after: self.after(page.cursor.as_deref(), order)?,
                limit: limit + 1,
                total: page
                    .include
                    .is_some_and(|include| include.contains(&Include::Total)),
            },
            order,
        })
    }

    /// Where the page before ended.
    fn after(&self, cursor: Option<&str>, order: &str) -> Result<Option<Place>, Failure> {
        let Some(text) = cursor else {
            return Ok(None);
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Failure::Cursor)?;
        let (code, key) = bytes.split_at_checked(CODE).ok_or(Failure::Cursor)?;
        if !same(code, &self.code(key, order)) {
            return Err(Failure::Cursor);
        }
        let key = std::str::from_utf8(key)
            .ok()
            .and_then(|key| key.parse().ok());
        key.map(Some).ok_or(Failure::Cursor)
    }

    /// What proves that a cursor is ours: of this tenant, this list and this order.
    fn code(&self, key: &[u8], order: &str) -> [u8; CODE] {
        let tenant = self.scope.tenant.0.to_be_bytes();
        let whole = mac(
            self.state.cursor_key.as_slice(),
            &[
                &tenant,
                self.request.path().as_bytes(),
                order.as_bytes(),
                key,
            ],
        );
        let mut code = [0; CODE];
        for (to, from) in code.iter_mut().zip(whole) {
            *to = from;
        }
        code
    }

    /// The rows that were asked for, each as it is shown.
    pub fn page<R, T: Serialize>(
        &self,
        found: Found<R>,
        list: &List,
        place: impl Fn(&R) -> Place,
        show: impl Fn(&R) -> T,
    ) -> HttpResponse {
        let page = self.cut(found, list, place);
        self.send(page.info, page.rows.iter().map(show).collect())
    }

    /// The rows that were asked for, without the one that tells of more.
    pub fn cut<R>(&self, found: Found<R>, list: &List, place: impl Fn(&R) -> Place) -> Cut<R> {
        let Found { mut rows, total } = found;
        let limit = usize::try_from(list.paging.limit - 1).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more).map(place);
        Cut {
            info: self.info(next.as_ref(), list, total),
            rows,
        }
    }

    /// Where a page ends whose next one begins behind a place.
    pub fn info(&self, next: Option<&Place>, list: &List, total: Option<i64>) -> PageInfo {
        let next_cursor = next.map(|place| {
            let key = place.to_string();
            let code = self.code(key.as_bytes(), list.order);
            URL_SAFE_NO_PAD.encode([code.as_slice(), key.as_bytes()].concat())
        });
        PageInfo {
            has_more: next_cursor.is_some(),
            next_cursor,
            total,
        }
    }

    /// A page as JSON.
    pub fn send<T: Serialize>(&self, page: PageInfo, data: Vec<T>) -> HttpResponse {
        self.linked(&page).json(Page { data, page })
    }

    /// A page as JSON, or one row per line for who accepts `application/x-ndjson`; the next page is in `Link`, too.
    pub fn lines_or_page<T: Serialize>(&self, page: Cut<T>) -> HttpResponse {
        let lines = self
            .request
            .headers()
            .get(header::ACCEPT)
            .is_some_and(|kind| kind.as_bytes() == b"application/x-ndjson");
        if !lines {
            return self.send(page.info, page.rows);
        }
        let line = |row: &T| serde_json::to_string(row).unwrap_or_default() + "\n";
        let body: String = page.rows.iter().map(line).collect();
        self.linked(&page.info)
            .content_type("application/x-ndjson")
            .body(body)
    }

    /// An answer with the address of the next page.
    pub fn linked(&self, page: &PageInfo) -> HttpResponseBuilder {
        let mut answer = HttpResponse::Ok();
        if let Some(next) = &page.next_cursor {
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
        answer
    }
}

/// The rows of a page and where it ends.
#[derive(Debug)]
pub struct Cut<R> {
    pub rows: Vec<R>,
    pub info: PageInfo,
}

/// A list's own parameters with those of every list.
struct Both<T>(T, PageQuery);

impl<T: IntoParams> IntoParams for Both<T> {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = T::into_params(&place);
        all.extend(PageQuery::into_params(&place));
        all
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Both<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Value::deserialize(deserializer)?;
        let own = T::deserialize(all.clone()).map_err(serde::de::Error::custom)?;
        let page = PageQuery::deserialize(all).map_err(serde::de::Error::custom)?;
        Ok(Self(own, page))
    }
}
