//! Every statement, one file per table family.
