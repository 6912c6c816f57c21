"""Changes the text of a trust file: only the lines that are meant, and the result is validated."""
