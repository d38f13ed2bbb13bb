"""Own images in: pictures, DICOM and NIfTI become one `.npz` in the course's layout (`packing.pack`)."""
