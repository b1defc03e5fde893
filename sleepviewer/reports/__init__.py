"""Reports on nights that are labelled and predicted: tables, and pages of HTML that need nothing but themselves."""
