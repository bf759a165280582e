//! Laws: statements about all inputs, tried on many random ones. `style/anchors.md` II.11.

mod people;
mod search;
