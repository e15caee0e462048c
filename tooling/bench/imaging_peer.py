"""The peers' side of `pnpm bench imaging`: one task in one process, its figures as JSON on stdout."""
import json
import math
import os
import resource
import sys
import time

task, data = sys.argv[1:3]
gz, raw, dicom = (os.path.join(data, *parts) for parts in (("gz", "ct.nii.gz"), ("raw", "ct.nii"), ("dicom",)))


def prepare():
    """The synthetic CT as a DICOM series of 200 uncompressed files."""
    import numpy as np
    import pydicom
    import SimpleITK as sitk
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    image = sitk.ReadImage(raw)
    voxels = sitk.GetArrayFromImage(image).astype(np.int16)
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    for index, plane in enumerate(voxels):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        dataset.PatientName, dataset.PatientID, dataset.Modality = "SYNTHETIC", "SYNTHETIC", "CT"
        dataset.SeriesInstanceUID, dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = series, study, frame
        dataset.InstanceNumber = index + 1
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.ImagePositionPatient = [round(float(x), 6) for x in image.TransformIndexToPhysicalPoint((0, 0, index))]
        dataset.PixelSpacing = [round(float(x), 6) for x in image.GetSpacing()[1::-1]]
        dataset.Rows, dataset.Columns = plane.shape
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
        dataset.PixelData = plane.tobytes()
        dataset.save_as(os.path.join(dicom, f"{index:04d}.dcm"), enforce_file_format=True)


def read_simpleitk(path):
    import SimpleITK as sitk

    return lambda: sitk.ReadImage(path)


def series_simpleitk():
    import SimpleITK as sitk

    def read():
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(dicom))
        return reader.Execute()

    return read


def read_nibabel(path):
    """The voxels as nibabel gives them: of an uncompressed file that is a memory map, so the sum reads its pages in."""
    import nibabel
    import numpy as np

    def read():
        voxels = np.asanyarray(nibabel.load(path).dataobj)
        if isinstance(voxels, np.memmap):
            voxels.ravel(order="K")[::2048].sum()
        return voxels

    return read


def series_pydicom():
    import numpy as np
    import pydicom

    def read():
        slices = [pydicom.dcmread(os.path.join(dicom, name)) for name in os.listdir(dicom)]
        slices.sort(key=lambda each: each.ImagePositionPatient[2])
        return np.stack([each.pixel_array * each.RescaleSlope + each.RescaleIntercept for each in slices])

    return read


def resample_simpleitk(interpolator):
    """From the int16 file's voxels to float32 ones, as ours."""
    import SimpleITK as sitk

    image = sitk.ReadImage(raw)
    size = [math.ceil(n * s - 1e-6) for n, s in zip(image.GetSize(), image.GetSpacing())]
    like = sitk.Image(size, sitk.sitkFloat32)
    like.SetOrigin(image.GetOrigin())
    like.SetDirection(image.GetDirection())
    method = getattr(sitk, interpolator)
    return lambda: sitk.Resample(image, like, sitk.Transform(), method, 0.0, sitk.sitkFloat32)


if task == "prepare":
    prepare()
    sys.exit()
who = sys.argv[3]
work = {
    ("read .nii.gz", "SimpleITK"): lambda: read_simpleitk(gz),
    ("read .nii.gz", "nibabel"): lambda: read_nibabel(gz),
    ("read .nii", "SimpleITK"): lambda: read_simpleitk(raw),
    ("read .nii", "nibabel"): lambda: read_nibabel(raw),
    ("read DICOM series", "SimpleITK"): series_simpleitk,
    ("read DICOM series", "pydicom"): series_pydicom,
    ("resample 1 mm linear", "SimpleITK"): lambda: resample_simpleitk("sitkLinear"),
    ("resample 1 mm cubic", "SimpleITK"): lambda: resample_simpleitk("sitkBSpline"),
}[task, who]()
start = time.perf_counter()
result = work()
milliseconds = 1000 * (time.perf_counter() - start)
print(json.dumps({"milliseconds": milliseconds, "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
