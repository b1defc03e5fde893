"""What a page of traces shows, without Qt: display filters, columns of pixels, gains, axis ticks."""
