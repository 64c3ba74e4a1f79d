"""What a month of the fleet costs: prices, quantities from the stacks' values, comparisons."""
