//! (being built)

/// Plays the demo.
pub fn run(_listen: &str, _exit: bool) -> anyhow::Result<()> {
    anyhow::bail!("being built")
}
