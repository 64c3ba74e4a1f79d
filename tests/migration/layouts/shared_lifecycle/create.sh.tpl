#!/bin/bash
set -e
source activate ${env}
pip install --quiet polars
