"""A day of a mall on a virtual clock: shoppers, cars, faults, power cuts, HQ away; and what must hold."""
