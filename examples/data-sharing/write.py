"""One notebook's part: a dataset that every notebook may read.

In a notebook these are the lines of a cell. pandas finds s3fs for s3:// by itself, and s3fs the
credentials of the notebook's role.
"""

import argparse

import pandas


def write(datasets: str) -> str:
    """Writes the dataset to the bucket `datasets`; its address."""
    frame = pandas.DataFrame({"hours": [1, 2, 3, 4, 5], "score": [53.0, 55.5, 61.0, 63.5, 69.0]})
    address = f"s3://{datasets}/shared/scores.csv"
    frame.to_csv(address, index=False)
    return address


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", required=True, help="the bucket of datasets")
    print("wrote", write(parser.parse_args().datasets))
