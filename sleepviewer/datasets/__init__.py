"""Public data sets: their naming and how to fetch them."""
