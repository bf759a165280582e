//! The attribute a misspelled name was probably meant to be. Serves the sentences of filter, path and sort errors only.

use crate::scim::schema::{AttributeDef, ResourceType, Returned};

/// Names longer than this are not misspellings of ours, and comparing them would cost.
const LONGEST: usize = 64;

/// The nearest attribute of the resource type in the spelling a client would use, or `None` when nothing is near.
pub(in crate::scim) fn nearest_attribute(
    resource_type: &ResourceType,
    name: &str,
) -> Option<String> {
    let core = resource_type
        .schema
        .attributes
        .iter()
        .chain(&resource_type.common)
        .map(|def| (None, def));
    let extensions = resource_type.extensions.iter().flat_map(|extension| {
        extension
            .schema
            .attributes
            .iter()
            .map(move |def| (Some(extension.schema.id.as_str()), def))
    });
    let named = core.chain(extensions).filter(|(_, def)| visible(def));
    let (urn, def) = named
        .filter_map(|(urn, def)| Some((distance(name, &def.name)?, urn, def)))
        .min_by_key(|(distance, ..)| *distance)
        .map(|(_, urn, def)| (urn, def))?;
    Some(match urn {
        Some(urn) => format!("{urn}:{}", def.name),
        None => def.name.clone(),
    })
}

/// The nearest sub-attribute of an attribute.
pub(super) fn nearest_sub(def: &AttributeDef, name: &str) -> Option<String> {
    let near = def
        .sub_attributes
        .iter()
        .filter(|sub| visible(sub))
        .filter_map(|sub| Some((distance(name, &sub.name)?, sub)));
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, sub)| sub.name.clone())
}

/// Whether an attribute may be suggested.
fn visible(def: &AttributeDef) -> bool {
    !matches!(def.returned, Returned::Never)
}

/// The edit distance without regard to letter case, or `None` when it is more than a third of the name.
fn distance(typed: &str, name: &str) -> Option<usize> {
    if typed.len() > LONGEST || name.len() > LONGEST {
        return None;
    }
    let typed: Vec<char> = typed.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    // One row of the edit matrix: row[j] is the distance from the typed characters so far to name[..j].
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (i, a) in typed.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        for ((b, pair), left) in name.iter().zip(row.windows(2)).zip(0..) {
            let (&[diagonal, above], Some(&before)) = (pair, next.get::<usize>(left)) else {
                return None;
            };
            next.push(
                (diagonal + usize::from(a != b))
                    .min(above + 1)
                    .min(before + 1),
            );
        }
        row = next;
    }
    let edits = row.last().copied()?;
    (edits <= (name.len().max(3)) / 3).then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn a_slip_of_the_finger_is_near() {
        assert_eq!(distance("usrName", "userName"), Some(1));
        assert_eq!(distance("USERNAME", "userName"), Some(0));
        assert_eq!(distance("emial", "email"), None);
        assert_eq!(distance("email", "emails"), Some(1));
    }

    #[test]
    fn another_word_is_not_near() {
        assert_eq!(distance("favColor", "title"), None);
        assert_eq!(distance(&"x".repeat(1000), "title"), None);
    }
}
