;; The inner loops of linear resampling of int16 voxels, in float64, in the order of operations of resample-aligned.ts.
;; `linear-kernel.test.ts` checks that linear-kernel-binary.ts is this file compiled.
(module
  (memory (export "memory") 4)

  ;; A source plane resampled along x and y. `left` are byte offsets into a row, `top` those of the upper row of each line;
  ;; the right neighbour is the next voxel, the lower row the next row. Weights are pairs of float64.
  (func (export "plane")
    (param $source i32) (param $rowBytes i32)
    (param $left i32) (param $xWeight i32) (param $columns i32)
    (param $top i32) (param $yWeight i32) (param $lines i32)
    (param $out i32)
    (local $upper i32) (local $at i32) (local $x i32) (local $w i32) (local $end i32)
    (local $v v128) (local $u v128) (local $sum v128)
    (loop $line
      (local.set $upper (i32.add (local.get $source) (i32.load (local.get $top))))
      (local.set $v (v128.load64_splat (local.get $yWeight)))
      (local.set $u (v128.load64_splat offset=8 (local.get $yWeight)))
      (local.set $x (local.get $left))
      (local.set $w (local.get $xWeight))
      (local.set $end (i32.add (local.get $left) (i32.shl (local.get $columns) (i32.const 2))))
      (loop $column
        (local.set $at (i32.add (local.get $upper) (i32.load (local.get $x))))
        ;; both voxels of the upper row and both of the lower one, weighted along y, then along x
        (local.set $sum
          (f64x2.mul
            (v128.load (local.get $w))
            (f64x2.add
              (f64x2.mul (local.get $v)
                (f64x2.convert_low_i32x4_s (i32x4.extend_low_i16x8_s (v128.load32_zero (local.get $at)))))
              (f64x2.mul (local.get $u)
                (f64x2.convert_low_i32x4_s (i32x4.extend_low_i16x8_s
                  (v128.load32_zero (i32.add (local.get $at) (local.get $rowBytes)))))))))
        (f64.store (local.get $out)
          (f64.add (f64x2.extract_lane 0 (local.get $sum)) (f64x2.extract_lane 1 (local.get $sum))))
        (local.set $out (i32.add (local.get $out) (i32.const 8)))
        (local.set $w (i32.add (local.get $w) (i32.const 16)))
        (br_if $column
          (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 4))) (local.get $end))))
      (local.set $top (i32.add (local.get $top) (i32.const 4)))
      (local.set $yWeight (i32.add (local.get $yWeight) (i32.const 16)))
      (br_if $line (local.tee $lines (i32.sub (local.get $lines) (i32.const 1))))))

  ;; u * a + v * b as float32, four at a time: up to three values beyond `length` are written.
  (func (export "blend")
    (param $a i32) (param $u f64) (param $b i32) (param $v f64) (param $out i32) (param $length i32)
    (local $uu v128) (local $vv v128) (local $end i32)
    (local.set $uu (f64x2.splat (local.get $u)))
    (local.set $vv (f64x2.splat (local.get $v)))
    (local.set $end (i32.add (local.get $out) (i32.shl (local.get $length) (i32.const 2))))
    (loop $four
      (v128.store (local.get $out)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
          (f32x4.demote_f64x2_zero (f64x2.add
            (f64x2.mul (local.get $uu) (v128.load (local.get $a)))
            (f64x2.mul (local.get $vv) (v128.load (local.get $b)))))
          (f32x4.demote_f64x2_zero (f64x2.add
            (f64x2.mul (local.get $uu) (v128.load offset=16 (local.get $a)))
            (f64x2.mul (local.get $vv) (v128.load offset=16 (local.get $b)))))))
      (local.set $a (i32.add (local.get $a) (i32.const 32)))
      (local.set $b (i32.add (local.get $b) (i32.const 32)))
      (br_if $four
        (i32.lt_u (local.tee $out (i32.add (local.get $out) (i32.const 16))) (local.get $end))))))
