use criterion::{Criterion, criterion_group, criterion_main};
use ref_models::kernels::*;
fn bench(c: &mut Criterion) {
    for (m,n,k) in [(180,1152,384),(180,1536,384),(180,384,1536),(12,1500,64),(12,64,1500),(1,51864,384)] {
        let w = PackedWeights::from_f16(&vec![half::f16::from_f32(0.01); n*k], n, k, None);
        let w2 = PackedWeights::from_f32(&vec![0.01; n*k], n, k, None);
        let a = vec![0.5f32; m*k]; let mut o = vec![0f32; m*n];
        let flops = 2.0*(m*n*k) as f64;
        for (nm,w) in [("f16",&w),("f32",&w2)] {
            let t=std::time::Instant::now(); let mut it=0; while t.elapsed().as_secs_f64()<0.3 { w.apply(&a,k,m,&mut o,n,false); it+=1; }
            let s=t.elapsed().as_secs_f64()/it as f64; println!("{m}x{n}x{k} {nm}: {:.1} GF/s {:.3} ms", flops/s/1e9, s*1e3);
        }
    }
    let mut x=vec![0.3f32;1500]; c.bench_function("softmax1500",|b|b.iter(||softmax(&mut x,0.1)));
    let mut x=vec![0.3f32;1536]; c.bench_function("gelu1536",|b|b.iter(||gelu(&mut x)));
    let mut o=vec![0.3f32;1536]; c.bench_function("ln1536",|b|b.iter(||layer_norm(&x,&x,&x,&mut o)));
}
criterion_group!(b, bench); criterion_main!(b);
