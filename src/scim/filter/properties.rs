//! Laws of the filter language that hold for every text and every tree (F-61, TS-08).

use proptest::prelude::*;

use super::checked::Operator;
use super::syntax::{AttrPath, Column, Filter, Literal, Op, Test, ValuePath};

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z$][A-Za-z0-9_$-]{0,6}"
}

/// An operator and a literal.
pub(in crate::scim) fn comparison() -> impl Strategy<Value = Op> {
    use Operator::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
    let literal = prop_oneof![
        any::<String>().prop_map(Literal::String),
        "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?".prop_map(Literal::Number),
        any::<bool>().prop_map(Literal::Bool),
        Just(Literal::Null),
    ];
    let operator = proptest::sample::select(vec![Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le]);
    (operator, literal).prop_map(|(operator, literal)| Op::Compare(operator, literal))
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![Just(Op::Present), comparison()]
}

/// What stands between brackets.
pub(in crate::scim) fn inner() -> BoxedStrategy<Filter> {
    nest(bare_test().prop_map(Filter::Test).boxed())
}

fn bare_test() -> impl Strategy<Value = Test> {
    (name(), op()).prop_map(|(name, op)| Test {
        path: AttrPath::bare(name, Column(1)),
        op,
    })
}

fn nest(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Filter::and),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Filter::or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
    .boxed()
}

fn filter() -> impl Strategy<Value = Filter> {
    let urn = proptest::option::of("urn:[a-z]{1,5}:2\\.0:[A-Z][a-z]{0,4}");
    let path = (urn.clone(), name(), proptest::option::of(name()));
    let test = (path, op()).prop_map(|((urn, name, sub), op)| {
        Filter::Test(Test {
            path: AttrPath {
                urn,
                name,
                sub,
                at: Column(1),
            },
            op,
        })
    });
    let value_path = (urn, name(), inner(), proptest::option::of(bare_test())).prop_map(
        |(urn, name, inner, sub)| {
            let attr = AttrPath {
                urn,
                name,
                sub: None,
                at: Column(1),
            };
            Filter::ValuePath(ValuePath {
                attr,
                inner: Box::new(inner),
                sub,
            })
        },
    );
    nest(prop_oneof![3 => test, 1 => value_path].boxed())
}

proptest! {
    // F-61
    #[test]
    fn a_printed_filter_reads_back_as_the_same_tree(filter in filter()) {
        prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
    }

    #[test]
    fn no_text_brings_the_parser_down(text in any::<String>()) {
        drop(Filter::parse(&text));
    }

    #[test]
    fn no_text_that_looks_like_a_filter_brings_the_parser_down(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "a", "emails", "urn:x:2.0:Y:z", " ", " ", " ", " eq ", " pr", " and ", " or ", "not", "(", ")", "[", "]",
                ".", "\"x\"", "\"", "\\", "\\u12", "null", "true", "1", "-", "é", "\u{0}", "'",
            ]),
            0..24,
        )
    ) {
        let text = words.concat();
        match Filter::parse(&text) {
            Ok(filter) => prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter)),
            Err(error) => prop_assert!(error.column <= text.chars().count() + 1),
        }
    }
}
