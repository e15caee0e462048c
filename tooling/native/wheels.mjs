/** The wheels that libtensorflow and, with --gpu, NVIDIA's libraries are taken from, each pinned by its sha256. */

export const TENSORFLOW_CPU = {
  requirement: 'tensorflow-cpu==2.20.0',
  sha256: 'cf756bbe2d256e942ab5d0ad2c858fb40017581494febdb4387c149b1afde780',
  megabytes: 259,
};

export const TENSORFLOW = {
  requirement: 'tensorflow==2.20.0',
  sha256: '481499fd0f824583de8945be61d5e827898cdaa4f5ea1bc2cc28ca2ccff8229e',
  megabytes: 621,
};

/** The oldest of each that tensorflow 2.20.0 names in its extra `and-cuda`: what it was built and tested with. */
export const CUDA_WHEELS = [
  {
    requirement: 'nvidia-cublas-cu12==12.5.3.2',
    sha256: 'ca070ad70e9fa6654084575d01bd001f30cc4665e33d4bb9fc8e0f321caa034b',
    megabytes: 363,
  },
  {
    requirement: 'nvidia-cuda-cupti-cu12==12.5.82',
    sha256: 'bde77a5feb66752ec61db2adfe47f56b941842825b4c7e2068aff27c9d107953',
    megabytes: 14,
  },
  {
    requirement: 'nvidia-cuda-nvcc-cu12==12.5.82',
    sha256: 'b03e545b8e8c3ce7ebcd7fc44063180ff52ff01d064ece2127ed90a04ef12cd0',
    megabytes: 22,
  },
  {
    requirement: 'nvidia-cuda-nvrtc-cu12==12.5.82',
    sha256: '3dbd97b0104b4bfbc3c4f8c79cd2496307c89c43c29a9f83125f1d76296ff3fd',
    megabytes: 25,
  },
  {
    requirement: 'nvidia-cuda-runtime-cu12==12.5.82',
    sha256: '3e79a060e126df40fd3a068f3f787eb000fa51b251ec6cd97d09579632687115',
    megabytes: 1,
  },
  {
    requirement: 'nvidia-cudnn-cu12==9.3.0.75',
    sha256: '9ad9c6929ebb5295eb4a1728024666d1c88283373e265a0c5c883e6f9d5cd76d',
    megabytes: 577,
  },
  {
    requirement: 'nvidia-cufft-cu12==11.2.3.61',
    sha256: '9a6e8df162585750f61983a638104a48c756aa13f9f48e19ab079b38e3c828b8',
    megabytes: 193,
  },
  {
    requirement: 'nvidia-curand-cu12==10.3.6.82',
    sha256: '2823fb27de4e44dbb22394a6adf53aa6e1b013aca0f8c22867d1cfae58405536',
    megabytes: 56,
  },
  {
    requirement: 'nvidia-cusolver-cu12==11.6.3.83',
    sha256: '93cfafacde4428b71778eeb092ec615a02a3d05404da1bcf91c53e3fa1bce42b',
    megabytes: 130,
  },
  {
    requirement: 'nvidia-cusparse-cu12==12.5.1.3',
    sha256: '016df8e993c437e8301e62739f01775cba988fd5253cd4c64173f8e8d2f8e752',
    megabytes: 218,
  },
  {
    requirement: 'nvidia-nccl-cu12==2.25.1',
    sha256: '362aed5963fb9ea2ed2f264409baae30143498fd0e5c503aeaa1badd88cdc54a',
    megabytes: 201,
  },
  {
    requirement: 'nvidia-nvjitlink-cu12==12.5.82',
    sha256: 'f9b37bc5c8cf7509665cb6ada5aaa0ce65618f2332b7d3e78e9790511f111212',
    megabytes: 21,
  },
];
