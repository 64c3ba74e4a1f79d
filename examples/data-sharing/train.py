"""The other notebook's part: reads the dataset, fits a line to it and saves that as a model."""

import argparse

import joblib
import numpy
import pandas
import s3fs


def train(datasets: str, models: str) -> str:
    """Trains on what the other notebook wrote; the address of the model."""
    frame = pandas.read_csv(f"s3://{datasets}/shared/scores.csv")
    slope, intercept = numpy.polyfit(frame["hours"], frame["score"], 1)
    model = {"slope": float(slope), "intercept": float(intercept)}
    address = f"s3://{models}/experiments/scores/model.joblib"
    with s3fs.S3FileSystem().open(address, "wb") as file:
        joblib.dump(model, file)
    return address


def predict(address: str, hours: float) -> float:
    """What the model at `address` says. joblib runs what it loads: only load what you trust."""
    with s3fs.S3FileSystem().open(address, "rb") as file:
        model = joblib.load(file)
    return float(model["slope"] * hours + model["intercept"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", required=True, help="the bucket of datasets")
    parser.add_argument("--models", required=True, help="the bucket of models")
    given = parser.parse_args()
    saved = train(given.datasets, given.models)
    print("saved", saved)
    print(f"6 hours give a score of {predict(saved, 6):.2f}")
