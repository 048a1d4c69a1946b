"""`python -m sim`: a mall on a laptop, whole or each device alone."""

from sim.cli import main

if __name__ == "__main__":
    main()
