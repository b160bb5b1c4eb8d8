"""How closely each preset agrees with the system it comes from: `python -m benchmarks.agreement`."""
