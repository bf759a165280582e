//! Laws: statements about all inputs, tried on many random ones. `style/anchors.md` II.11.

mod cursors;
mod ground;
mod groups;
mod people;
mod search;
mod shapes;
mod sorting;
mod steps;
mod story;
mod twins;
mod world;
