//! Extractors, the command wrapper, problems, limits, health and telemetry.
